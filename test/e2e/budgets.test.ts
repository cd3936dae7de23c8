import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CliEvent } from "../../src/modes/cli/events.ts";
import { type P2p, run } from "../support/binary.ts";
import { Community } from "../support/community.ts";
import { randomFile, sha256Of } from "../support/files.ts";
import { eventually } from "../support/within.ts";

const MB = 1_000_000;
const PEER_PEAK_BYTES = 200 * MB;
/** After the last password. */
const GIVEN_BACK_MS = 10_000;
const IDLE_SERVER_BYTES = 80 * MB;

/** Only Linux tells what a running process needs. */
const hasProc = process.platform === "linux";

/** A figure of proc_pid_status(5), in bytes; 0 when it has ended, also while it ends, or the system does not tell. */
function memory({ pid }: P2p, figure: "VmHWM" | "VmRSS"): number {
  try {
    return (
      Number(new RegExp(`^${figure}:\\s*(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) *
      1_024
    );
  } catch {
    return 0;
  }
}

/** Looks whenever it says something, so also just before its end. @returns the peak in bytes */
async function peakOf(p2p: P2p): Promise<number> {
  let peak = 0;
  for await (const _ of p2p) peak = Math.max(peak, memory(p2p, "VmHWM"));
  return peak;
}

/** The names of its events, each where it came first. */
function order(events: readonly CliEvent[]): readonly string[] {
  return [...new Set(events.map(({ event }) => event))].filter(
    (name) => !["path", "waiting", "request"].includes(name),
  );
}

test("a file of 1 GiB arrives whole, in the order of the contract, and neither end needs more than 200 MB", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  const path = join(town.folder, "big.bin");
  const hash = await randomFile(path, 2 ** 30);
  await using receiver = await ben.receiving("--yes", "--once");
  await using sender = ana.start("send", path, "@ben");
  const peaks = Promise.all([peakOf(sender), peakOf(receiver)]);
  const [sent, received] = await Promise.all([sender.finished(150_000), receiver.finished(150_000)]);
  expect([sent.exitCode, received.exitCode]).toEqual([0, 0]);
  expect(order(sent.events)).toEqual(["connected", "offer", "accepted", "progress", "sent", "closed"]);
  expect(order(received.events)).toEqual(["connected", "offer", "accepted", "progress", "saved", "received", "closed"]);
  expect(sent.events.find(({ event }) => event === "sent")).toMatchObject({ bytes: 2 ** 30 });
  expect(await sha256Of(join(ben.inbox, "big.bin"))).toBe(hash);
  for (const peak of hasProc ? await peaks : []) {
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThanOrEqual(PEER_PEAK_BYTES);
  }
}, 170_000);

test.skipIf(!hasProc)("a server with two people signed in needs no more than 80 MB", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using anas = await ana.receiving();
  await using bens = await ben.receiving();
  expect(anas.pid).not.toBe(bens.pid);
  const resident = () => memory(town.server, "VmRSS");
  expect(resident()).toBeGreaterThan(0);
  // Hashing a password takes 19 MiB, which the allocator gives back a moment later.
  await eventually(GIVEN_BACK_MS, () => resident() <= IDLE_SERVER_BYTES);
  expect(resident()).toBeGreaterThan(0);
});

test("p2p version tells what it is", async () => {
  const { exitCode, events } = await run(["version", "--json"]);
  expect(exitCode).toBe(0);
  expect(events).toMatchObject([{ v: 1, event: "version", version: expect.any(String), target: expect.any(String) }]);
});
