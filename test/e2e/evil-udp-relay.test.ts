import { expect, test } from "bun:test";
import { join } from "node:path";
import { whyNoNamespaces } from "../support/debian.ts";
import type { Told } from "../support/evil-udp-story.ts";
import { LoopbackNet } from "../support/loopback-net.ts";
import { root } from "../support/sources.ts";

test.skipIf(whyNoNamespaces() !== null)(
  "bad input 108: a relay over UDP that changes, cuts, swallows, doubles, reflects, keeps or swaps packets harms nothing",
  async () => {
    await using net = await LoopbackNet.up();
    const program = [process.execPath, join(root, "test/support/evil-udp-story.ts")];
    await using story = Bun.spawn([...net.inside, ...program], { stdout: "pipe", stderr: "inherit" });
    const lines = (await story.stdout.text()).trim().split("\n");
    expect(lines.at(-1)).toBe("done"); // and the session beside them has lived through it
    const told = lines.slice(0, -1).map((line) => JSON.parse(line) as Told);
    expect(told).toHaveLength(8);
    for (const [at, { deed, done, exitCode, arrived, heard, paths }] of told.entries()) {
      expect([deed, exitCode, arrived]).toEqual([deed, 0, true]);
      expect(heard).toBe(at + 1); // one file each, and nothing else
      expect(done).toBeGreaterThan(10);
      expect(paths).toContain("relay-udp");
    }
  },
  80_000,
);
