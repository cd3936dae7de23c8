#!/bin/sh
# Runs a command in the repository's root with Bun first on PATH and the packages installed:
#   sh scripts/with-bun.sh COMMAND [ARG...]
# Bun is taken from PATH or ~/.bun; where neither is new enough to read bun.lock, npm fetches one into .tools. Package
# scripts never run: npm 12 blocks Bun's, and the platform's own package holds the program anyway. Once everything is
# there the network is not touched.
set -eu

version=1.4.5
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/.tools
lock=$tools/lock
cd "$root"

say() { echo "with-bun: $*" >&2; }
die() { # die MESSAGE HINT
  say "error: $1"
  say "hint: $2"
  exit 1
}

# Older ones stop at the format of bun.lock.
new_enough() {
  case $("$1" --version 2>/dev/null) in
    1.[4-9].* | 1.[1-9][0-9].* | [2-9].*) return 0 ;;
  esac
  return 1
}

find_bun() {
  for bun in "$(command -v bun || :)" "${BUN_INSTALL:-${HOME:-}/.bun}/bin/bun" "$tools"/node_modules/@oven/bun-*/bin/bun*; do
    [ -x "$bun" ] && new_enough "$bun" && return 0
  done
  return 1
}

# node_modules keeps a copy of the bun.lock it was installed from, so that an interrupted install counts as none.
packages_fresh() { cmp -s bun.lock node_modules/.bun.lock; }

# One at a time, for two commands may start together. The lock of an owner that is gone is removed, by one of those who
# see it, who looks again first: it may be another's already.
take_lock() {
  waited=0
  until (set -C && echo $$ >"$lock") 2>/dev/null; do
    owner=$(cat "$lock" 2>/dev/null || :)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null && mkdir "$lock.gone" 2>/dev/null; then
      [ "$(cat "$lock" 2>/dev/null)" != "$owner" ] || rm -f "$lock"
      rmdir "$lock.gone"
      continue
    fi
    waited=$((waited + 1))
    [ $waited -lt 600 ] || die "cannot set up: another with-bun has held $lock for 10 minutes" \
      "end process ${owner:-that made it}, or remove $lock*, and run again"
    sleep 1
  done
  trap 'rm -f "$lock"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# What went wrong with a download is told by the word that npm and Bun print for it.
why() {
  case $(cat "$tools/log") in
    *ENOSPC*) echo 'the disk of this machine is full; make room (about 300 MB) and run again' ;;
    *EACCES* | *EPERM* | *EROFS*) echo "this user may not write to $root or to the package cache; mend the rights and run again" ;;
    *ENOTFOUND* | *EAI_AGAIN* | *ECONN* | *ETIMEDOUT* | *ENETUNREACH* | *CERT* | *ConnectionRefused* | *FailedToOpenSocket* | *DNS*)
      echo 'the package registry did not answer; check the network and the proxy settings, then run again' ;;
    *) echo "$1" ;;
  esac
}

fetch_bun() {
  command -v npm >/dev/null || die 'cannot fetch Bun: this machine has neither Bun 1.4 or later nor npm' \
    'install Node with npm, or Bun itself (https://bun.com), and run again'
  say "fetching Bun $version into .tools"
  [ -f "$tools/package.json" ] || echo '{ "private": true }' >"$tools/package.json"
  npm install --prefix "$tools" --no-save --no-package-lock --include=optional --ignore-scripts --no-audit --no-fund \
    --loglevel=error "bun@$version" >"$tools/log" 2>&1 || {
    cat "$tools/log" >&2
    die "cannot fetch Bun $version: npm failed" "$(why 'npm said why above; or install Bun 1.4 or later yourself (https://bun.com)')"
  }
  find_bun || die "cannot run Bun $version: npm installed none that starts on this machine ($(uname -sm))" \
    'Bun runs on Linux, macOS and Windows on x64 and arm64; see what it needs at https://bun.com'
}

install_packages() {
  say 'installing the packages of bun.lock'
  "$bun" install --frozen-lockfile >"$tools/log" 2>&1 || {
    cat "$tools/log" >&2
    die 'cannot install the packages: bun install failed' "$(why 'bun said why above; a changed package.json needs "bun install" once')"
  }
  cp bun.lock node_modules/.bun.lock
}

[ $# -gt 0 ] || die 'nothing to run' 'sh scripts/with-bun.sh COMMAND [ARG...]'
if ! find_bun || ! packages_fresh; then
  mkdir -p "$tools" 2>/dev/null && [ -w "$tools" ] || die "cannot set up: $tools is not writable" 'mend the rights of that folder and run again'
  take_lock
  find_bun || fetch_bun
  packages_fresh || install_packages
  rm -f "$lock"
  trap - EXIT INT TERM
fi
PATH=$(dirname -- "$bun"):$PATH
export PATH
exec "$@"
