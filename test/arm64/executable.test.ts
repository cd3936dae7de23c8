import { expect, test } from "bun:test";
import { join } from "node:path";
import { run } from "../support/binary.ts";
import { root } from "../support/sources.ts";

const emulator = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"];
const arm64 = {
  executable: join(root, "dist/p2p-linux-arm64"),
  inside: process.arch === "arm64" ? [] : emulator,
};

test("the executable for linux-arm64 starts and knows what it is", async () => {
  const { exitCode, events } = await run(["version", "--json"], arm64);
  expect(exitCode).toBe(0);
  expect(events[0]).toMatchObject({ event: "version", target: "linux-arm64" });
});
