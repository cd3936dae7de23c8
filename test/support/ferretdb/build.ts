/**
 * Builds the server for the tests of the MongoDB back end, where Go is there to build it: `bun test/support/ferretdb/build.ts`.
 * It is kept under `.tools`; as long as nothing here changes there is nothing to do.
 */
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";

const OLDEST_GO = "1.22.0";
const tools = join(import.meta.dir, "../../../.tools");

/** @returns the executable, or why there is none @throws Error when Go cannot build it */
export async function ferretdb(): Promise<{ readonly executable: string } | { readonly missing: string }> {
  const missing = whyNoGo();
  if (missing !== null) return { missing };
  const executable = join(tools, `ferretdb-${fingerprint()}`);
  if (!existsSync(executable)) await build(executable);
  return { executable };
}

function whyNoGo(): string | null {
  if (Bun.which("go") === null) return "no go";
  const [version = "0"] =
    /(?<=go)\d+\.\d+(\.\d+)?/.exec(Bun.spawnSync(["go", "env", "GOVERSION"]).stdout.toString()) ?? [];
  const isOld = Bun.semver.order(version.split(".").length < 3 ? `${version}.0` : version, OLDEST_GO) < 0;
  return isOld ? `go ${version} is older than ${OLDEST_GO}` : null;
}

function fingerprint(): string {
  const hash = new Bun.CryptoHasher("sha256");
  for (const name of ["go.mod", "go.sum", "main.go"]) hash.update(readFileSync(join(import.meta.dir, name)));
  return hash.digest("hex").slice(0, 16);
}

/** Under another name first: an interrupted build must not look like a finished one. */
async function build(executable: string): Promise<void> {
  mkdirSync(tools, { recursive: true });
  const unfinished = `${executable}.${process.pid}.new`;
  const command = ["go", "build", "-trimpath", "-tags=ferretdb_no_postgresql", `-o=${unfinished}`, "."];
  const go = Bun.spawn(command, { cwd: import.meta.dir, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  if ((await go.exited) !== 0) throw new Error("go could not build FerretDB");
  renameSync(unfinished, executable);
}

if (import.meta.main) {
  const found = await ferretdb();
  process.stdout.write(`${"executable" in found ? found.executable : `not built: ${found.missing}`}\n`);
}
