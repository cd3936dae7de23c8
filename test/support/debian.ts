import { existsSync } from "node:fs";

export interface DebianPackage {
  readonly name: string;
  /** A program, or the absolute path of a file, that is there when the package is. */
  readonly probe: string;
}

export function debian(name: string, probe: string): DebianPackage {
  return { name, probe };
}

/** Installs what is missing where that is possible. @returns null, or why it is not */
export function whyMissing(packages: readonly DebianPackage[]): string | null {
  const names = missing(packages);
  if (names.length === 0) return null;
  const what = `${names.join(", ")} missing`;
  if (Bun.which("apt-get") === null) return `${what}, and no apt-get here to install it`;
  if (process.getuid?.() !== 0) return `${what}, and only root may install it`;
  const trouble = refreshLists() ?? apt("install", "-y", "--no-install-recommends", ...names);
  return trouble === null ? null : `${what}, and apt-get failed: ${trouble}`;
}

/** @returns null, or why no network namespace can be made */
export function whyNoNamespaces(): string | null {
  if (process.platform !== "linux") return "network namespaces exist only on Linux";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const tried = Bun.spawnSync(["unshare", "--net", "true"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  return tried.success ? null : "this system lets not even root make network namespaces";
}

function missing(packages: readonly DebianPackage[]): string[] {
  return packages.filter(({ probe }) => !isThere(probe)).map(({ name }) => name);
}

function isThere(probe: string): boolean {
  if (probe.startsWith("/")) return existsSync(probe);
  return Bun.which(probe, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` }) !== null;
}

let lists: string | null | undefined;

/** Once a run: a fresh machine has no package lists at all. */
function refreshLists(): string | null {
  return (lists ??= apt("update"));
}

function apt(...args: string[]): string | null {
  const run = Bun.spawnSync(["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    timeout: 180_000,
  });
  return run.success ? null : (run.stderr.toString().trim().split("\n").at(-1) ?? "no reason given");
}
