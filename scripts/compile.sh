#!/bin/sh
# Compiles p2p into one executable per target:
#   sh scripts/compile.sh                  dist/p2p, for this machine
#   sh scripts/compile.sh all              dist/p2p-<os>-<arch>[.exe], for every target
#   sh scripts/compile.sh linux-arm64 …    for some: linux-x64 linux-arm64 macos-x64 macos-arm64 windows-x64
# The same commit gives the same bytes in any folder. P2P_COMMIT names the commit where there is no git.
set -eu

cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
[ -n "${COMPILE_HAS_BUN:-}" ] || COMPILE_HAS_BUN=1 exec sh scripts/with-bun.sh sh scripts/compile.sh "$@"

die() { # die MESSAGE HINT
  echo "compile: error: $1" >&2
  echo "compile: hint: $2" >&2
  exit 1
}

bun_version=$(bun --version)
# Twelve digits, because the shortest form depends on what else a clone holds.
commit=${P2P_COMMIT:-$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)}
if [ -z "${P2P_COMMIT:-}" ] && [ -n "$(git status --porcelain --untracked-files=no 2>/dev/null)" ]; then commit=$commit-dirty; fi
here=$(bun -p '`${process.platform}-${process.arch}`.replace("darwin", "macos").replace("win32", "windows")')
work=dist/.compile-$$
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work" || die "cannot write to $PWD/dist" 'mend the rights of that folder and run again'

# build TARGET [FLAG...] into $work/p2p[.exe]; its name is part of its bytes, so it is renamed only afterwards.
#   splitting, bytecode    a verb loads only what it needs, already parsed: `p2p version` in 12 ms instead of 23, all modules
#                          in 55 ms instead of 160, for 5 MB
#   sourcemap              a defect reports file and line; 1 MB
#   no autoload            a .env or bunfig.toml in the current folder has no say (a preload there would run as code)
#   disallow-code-…        no eval, no inspector, and no BUN_OPTIONS=--preload
#   …-thread.ts            entries of threads: what is not imported is not part of the executable unless it is named
#   __dirname              dependencies that name it would bake the build folder into the executable
build() {
  target=$1
  shift
  bun build --compile --format=esm --splitting --minify --bytecode --sourcemap --reject-unresolved \
    --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
    --compile-exec-argv=--disallow-code-generation-from-strings=strict \
    --define '__dirname="/p2p"' \
    --define "P2P_COMMIT=\"$commit\"" --define "P2P_TARGET=\"$target\"" \
    --outfile="$work/p2p" "$@" \
    src/main.ts src/store/sqlite/writer-thread.ts src/modes/server/password-thread.ts >"$work/log" 2>&1
}

failed() {
  cat "$work/log" >&2
  die "cannot compile for $1: bun build failed" 'the reason stands above; "bun run check" tells more about the source'
}

# The executable of Bun that a foreign target is made from. `bun build` fetches it by itself, but only from npm's own
# registry; where npm uses another one, npm fetches it.
fetch_runtime() { # fetch_runtime PACKAGE PLACE
  command -v npm >/dev/null || { cat "$work/log" >&2; die "cannot fetch $1: neither bun nor npm could" 'check the network and run again'; }
  (cd "$work" && npm pack --loglevel=error "@oven/$1@$bun_version" >tarball 2>>log && tar -xzf "$(cat tarball)") || {
    cat "$work/log" >&2
    die "cannot fetch $1: neither bun nor npm could" 'check the network and the proxy settings, then run again'
  }
  mkdir -p "$(dirname "$2")"
  mv "$work"/package/bin/bun* "$2"
}

# The platform as Bun and the packages @oven/bun-… name it.
bun_platform() { echo "bun-$1" | sed 's/macos/darwin/; s/arm64/aarch64/'; }

build_foreign() {
  platform=$(bun_platform "$1")
  runtime=.tools/runtimes/$platform-$bun_version
  if [ ! -f "$runtime" ]; then
    build "$1" --target="$platform" && return
    grep -q 'Failed to download' "$work/log" || failed "$1"
    fetch_runtime "$platform" "$runtime"
  fi
  build "$1" --target="$platform" --compile-executable-path="$runtime" || failed "$1"
}

deliver() { # deliver TARGET FILE
  made=$work/p2p
  [ -f "$made" ] || made=$made.exe
  chmod 755 "$made"
  mv "$made" "$2"
  echo "compile: $2 ($1, $commit, $(($(wc -c <"$2") / 1000000)) MB)"
}

foreign() {
  case $1 in
    linux-x64 | linux-arm64 | macos-x64 | macos-arm64) file=dist/p2p-$1 ;;
    windows-x64) file=dist/p2p-$1.exe ;;
    *) die "no such target: $1" 'linux-x64, linux-arm64, macos-x64, macos-arm64, windows-x64 or all' ;;
  esac
  build_foreign "$1"
  deliver "$1" "$file"
}

if [ $# -eq 0 ]; then
  build "$here" || failed "$here"
  case $here in
    windows-*) deliver "$here" dist/p2p.exe ;;
    *) deliver "$here" dist/p2p ;;
  esac
fi
[ "${1:-}" != all ] || set -- linux-x64 linux-arm64 macos-x64 macos-arm64 windows-x64
for target; do foreign "$target"; done
