import { afterEach, beforeEach, expect, test } from "bun:test";
import { MemoryBus } from "../../../../src/store/memory/bus.ts";
import type { Delivery } from "../../../../src/store/bus.ts";
import { House, type LocalPeer } from "./house.ts";
import { ManualClock } from "./manual-clock.ts";

const POLL_MS = 5_000;

class FrailBus extends MemoryBus {
  isAway = false;
  override async publish(nodeId: string, message: Uint8Array): Promise<Delivery> {
    return this.isAway ? "away" : super.publish(nodeId, message);
  }
}

class WrongClock extends ManualClock {
  offMs = 0;
  override unixMs(): number {
    return super.unixMs() + this.offMs;
  }
}

let bus: FrailBus;
let clocks: readonly [WrongClock, WrongClock];
let nodes: readonly [House, House];

beforeEach(async () => {
  bus = new FrailBus();
  clocks = [new WrongClock(), new WrongClock()];
  const first = await House.open({ bus }, clocks[0], "first");
  const { store, presence, buckets, attempts, keys } = first.options;
  nodes = [first, await House.open({ store, presence, bus, buckets, attempts, keys }, clocks[1], "second")];
  for (const { services } of nodes) {
    await services.link.start();
    await services.attendance.start();
  }
  await elapse(1_000);
});
afterEach(async () => {
  for (const { services } of nodes) services.revocations.stop();
  await nodes[0][Symbol.asyncDispose]();
});

async function elapse(ms: number): Promise<void> {
  for (const clock of clocks) clock.advance(ms);
  await settled();
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await nodes[0].settled();
}

/** A laptop at the first node and a phone at the second. */
async function laptopAndPhone(): Promise<readonly [LocalPeer, LocalPeer]> {
  const laptop = nodes[0].connect(await nodes[0].enrol("ana"));
  const phone = nodes[1].connect(await nodes[0].enrol("ana"));
  for (const peer of [laptop, phone]) await peer.signIn();
  for (const { services } of nodes) await services.revocations.start();
  return [laptop, phone];
}

test("bad input 71: a device revoked at one node loses its channel at the other at once, and the others stay", async () => {
  const [laptop, phone] = await laptopAndPhone();
  expect(await laptop.request({ kind: "revokeDevice", device: phone.deviceId })).toMatchObject({ kind: "done" });
  await settled();
  expect(phone.waiting("goodbye")).toMatchObject([{ code: "revoked", reconnectMs: 0 }]);
  expect([phone.closeCode, laptop.closeCode]).toEqual([1_001, null]);
});

test("bad inputs 71 and 81: the token of a device revoked at one node holds at none, also where it was never seen", async () => {
  const [laptop, phone] = await laptopAndPhone();
  const token = phone.me?.token ?? "";
  await laptop.request({ kind: "revokeDevice", device: phone.deviceId });
  await settled();
  for (const node of nodes)
    expect(await node.connect(phone.keys).signIn(token)).toMatchObject({ kind: "failed", code: "revoked" });
});

test("bad inputs 71 and 183: while nothing goes from node to node a revoked device is gone with the next poll", async () => {
  const [laptop, phone] = await laptopAndPhone();
  bus.isAway = true;
  await laptop.request({ kind: "revokeDevice", device: phone.deviceId });
  await settled();
  expect(phone.closeCode).toBeNull();
  await elapse(POLL_MS);
  expect(phone.waiting("goodbye")).toMatchObject([{ code: "revoked" }]);
  expect(laptop.closeCode).toBeNull();
});

test.each([-300_000, 300_000])(
  "bad inputs 71 and 189: a revocation also holds at a node whose clock is %d ms off, with the next poll",
  async (offMs) => {
    clocks[1].offMs = offMs;
    const [laptop, phone] = await laptopAndPhone();
    await elapse(POLL_MS);
    bus.isAway = true;
    await laptop.request({ kind: "revokeDevice", device: phone.deviceId });
    await elapse(POLL_MS);
    expect(phone.waiting("goodbye")).toMatchObject([{ code: "revoked" }]);
  },
);

test("bad input 81: a node that starts knows the devices revoked while it was not there", async () => {
  const [laptop, phone] = await laptopAndPhone();
  const token = phone.me?.token ?? "";
  await laptop.request({ kind: "revokeDevice", device: phone.deviceId });
  await elapse(60_000);
  const third = await House.open({ ...nodes[0].options, random: nodes[0].random }, clocks[0], "third");
  await third.services.revocations.start();
  expect(await third.connect(phone.keys).signIn(token)).toMatchObject({ kind: "failed", code: "revoked" });
  third.services.revocations.stop();
});
