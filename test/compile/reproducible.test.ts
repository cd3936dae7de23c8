import { expect, test } from "bun:test";
import { cpSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { binary, environment, run } from "../support/binary.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const sources = ["src", "scripts", "package.json", "bun.lock", "bunfig.toml", "tsconfig.json", "node_modules"];
const onlyForChecks = /node_modules\/(@?oxlint|bun-types)/;

const sha256 = (path: string) => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

test("the same commit gives the same bytes in another folder", async () => {
  const [version] = (await run(["version", "--json"])).events;
  if (version?.event !== "version") throw new Error("no version");
  using folder = temporaryFolder();
  const copy = folder.at("of another", "depth");
  for (const name of sources) {
    cpSync(join(root, name), join(copy, name), { recursive: true, filter: (path) => !onlyForChecks.test(path) });
  }
  const compiled = Bun.spawnSync(["sh", "scripts/compile.sh"], {
    cwd: copy,
    env: { ...environment(), PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, P2P_COMMIT: version.commit },
    stdin: "ignore",
  });
  expect(compiled.stderr.toString()).toBe("");
  const [made, ours] = [join(copy, "dist/p2p"), binary].map(sha256);
  expect(made).toBe(ours ?? "");
});
