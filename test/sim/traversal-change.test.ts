import { expect, setDefaultTimeout, test } from "bun:test";
import type { LinkOptions } from "./link.ts";
import type { NatKind } from "./nat-kinds.ts";
import { meet, type Scene, talk } from "./nat-scene.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const HOME: LinkOptions = { delayMs: 25, jitterMs: 2, rate: 125, queueBytes: 16_000 };
/** Until a machine notices that it is on another network. Milliseconds. */
const NOTICED_MS = 2_000;
/** What goes each way meanwhile: more than goes before all is as it was. Bytes. */
const TRANSFER_BYTES = 1_200_000;
const WATCHED_MS = 30_000;
/** On direct paths for so long, both are back; what comes later has other reasons. Milliseconds. */
const SETTLED_MS = 2_000;
const STEP_MS = 10;

/** In mid-transfer. @returns the longest time without a new byte, and until both were on direct paths again. Milliseconds. */
function recovery(
  scene: Scene,
  change: (scene: Scene) => void,
): { readonly stallMs: number; readonly againMs: number } {
  const { network, meeting } = scene;
  const hasArrived = talk(scene, TRANSFER_BYTES);
  network.runFor(2_000);
  const at = network.now;
  change(scene);
  let [againMs, stallMs] = [0, 0];
  const readers = [meeting.pair.a, meeting.pair.b].map((end) => ({ end, bytes: 0, since: at }));
  for (let step = 0; step < WATCHED_MS / STEP_MS; step++) {
    network.runFor(STEP_MS);
    const isStillAway = network.now - at < Math.max(NOTICED_MS, againMs) + SETTLED_MS;
    if (!meeting.isDirect && isStillAway) againMs = network.now - at;
    for (const reader of readers) {
      const bytes = [...reader.end.inboxes.values()].reduce((sum, inbox) => sum + inbox.bytes, 0);
      if (bytes === reader.bytes) continue;
      stallMs = Math.max(stallMs, network.now - reader.since);
      [reader.bytes, reader.since] = [bytes, network.now];
    }
  }
  expect(hasArrived()).toBe(true);
  return { stallMs, againMs };
}

const changes: Readonly<Record<string, (scene: Scene) => void>> = {
  "new ports": ({ sideA }) => sideA.rebind("port"),
  "a new address": ({ sideA }) => sideA.rebind("ip"),
  "a NAT that forgets all": ({ sideA }) => sideA.rebind("flush"),
  "new addresses on both sides": ({ sideA, sideB, network }) => {
    sideA.rebind("ip");
    network.in(100, () => sideB.rebind("ip"));
  },
  "another network": ({ sideA, meeting, network }) => {
    sideA.roam();
    network.in(NOTICED_MS, () => meeting.a.moved());
  },
};

for (const [a, b, withinMs] of [
  ["cone", "cone", 2_500],
  ["fullcone", "cone", 2_500],
  ["cgnat", "cone", 2_500],
  ["symmetric", "none", 2_500],
  ["none", "cone", 2_500],
  ["symmetric-seq", "cone", 5_000],
  // Two birthday series are 20 s apart.
  ["symmetric", "cone", 25_000],
] as const satisfies readonly (readonly [NatKind, NatKind, number])[])
  for (const [what, change] of Object.entries(changes))
    test(`${a} and ${b}, in mid-transfer: ${what} costs no byte, less than 2.5 s, and both are direct again within ${withinMs / 1_000} s`, () => {
      const scene = meet({ seed: 1, a: { kind: a, link: HOME }, b: { kind: b, link: HOME } });
      expect(scene.meeting.untilDirect(15_000)).not.toBeNull();
      const { stallMs, againMs } = recovery(scene, change);
      expect(stallMs).toBeLessThan(2_500);
      expect(againMs).toBeLessThan(withinMs);
    });

for (const [kind, idleMs, mostAMinute] of [
  ["cone", 600_000, 10],
  ["short-timeout", 600_000, 20],
] as const)
  test(`${kind} and ${kind}: a direct path outlives ${idleMs / 60_000} idle minutes, or is back within 2 s of the first byte, on ${mostAMinute} datagrams a minute`, () => {
    const link: LinkOptions = { delayMs: 25, jitterMs: 2 };
    const scene = meet({ seed: 1, a: { kind, link }, b: { kind, link } });
    const { meeting, network, sideA } = scene;
    expect(meeting.untilDirect(5_000)).not.toBeNull();
    network.runFor(60_000);
    const before = sideA.access.up.sentPackets;
    network.runFor(idleMs);
    // New keys, every two minutes, and questions to the server go there as well.
    expect(sideA.access.up.sentPackets - before).toBeLessThanOrEqual((2 * mostAMinute * idleMs) / 60_000);
    const line = new Transfer(meeting.pair.a, 2, network.random.bytes(300), false);
    network.runUntil(() => line.hasArrived(meeting.pair.b), 500, "the line");
    network.runFor(2_000);
    expect(meeting.isDirect).toBe(true);
  });

test("who says little over lines that lose 2 of 100 on each side leaves the direct path less than once in 2 minutes", () => {
  const link: LinkOptions = { delayMs: 25, jitterMs: 2, loss: 0.02 };
  let left = 0;
  for (const seed of [1, 2, 3]) {
    const { meeting, network } = meet({ seed, a: { kind: "cone", link }, b: { kind: "cone", link } });
    expect(meeting.untilDirect(10_000)).not.toBeNull();
    const ends = [meeting.pair.a, meeting.pair.b];
    const before = ends.map(({ events }) => events.length);
    const speak = (): void => {
      for (const end of ends) end.do((session, now) => session.write(now, 2, network.random.bytes(100)));
      network.in(2_000 * network.random.fraction(), speak);
    };
    speak();
    network.runFor(120_000);
    const moves = ends.flatMap(({ events }, index) => events.slice(before[index]));
    left += moves.filter((event) => event.kind === "path-selected" && event.route.kind === "server").length;
  }
  // Both ends of three meetings, each for 2 minutes.
  expect(left).toBeLessThan(6);
});
