import { expect, test } from "bun:test";
import { LossRecovery } from "../../../../src/wire/session/loss-recovery.ts";
import { packetState } from "../../../../src/wire/session/sent-packets.ts";
import { ackOf, contentsOf, Notes } from "./fates.ts";

/** Packets 0, 1, 2 … sent a millisecond apart from 0. */
function sentPackets(count: number): LossRecovery {
  const recovery = new LossRecovery();
  for (let number = 0; number < count; number++) recovery.onSent(number, 1_000, contentsOf(number));
  return recovery;
}

const offsets = ({ chunks }: Notes): number[] => chunks.map(({ offset }) => offset);

test("LossRecovery declares lost what three later packets have overtaken, RFC 9002 §6.1.1", () => {
  const [recovery, acked, lost] = [sentPackets(6), new Notes(), new Notes()];
  expect(recovery.onAck(50, ackOf([2, 4]), acked, lost)).toMatchObject({
    ackedBytes: 3_000,
    lostBytes: 2_000,
    lostPackets: 2,
  });
  expect(offsets(acked)).toEqual([2, 3, 4]);
  expect(offsets(lost)).toEqual([0, 1]);
});

test("LossRecovery declares the rest lost after 9/8 of the RTT, RFC 9002 §6.1.2", () => {
  const [recovery, acked, lost] = [sentPackets(3), new Notes(), new Notes()];
  recovery.onAck(42, ackOf([2, 2]), acked, lost);
  expect(offsets(lost)).toEqual([]);
  expect(recovery.lossAt).toBe(0 + 45);
  recovery.detectLost(45, lost);
  expect(offsets(lost)).toEqual([0]);
  expect(recovery.lossAt).toBe(46);
  recovery.detectLost(46, lost);
  expect(offsets(lost)).toEqual([0, 1]);
  expect([recovery.lossAt, recovery.probeAt]).toEqual([null, null]);
});

test("LossRecovery takes an RTT sample from the largest newly acked packet alone", () => {
  const [recovery, notes] = [sentPackets(3), new Notes()];
  expect(recovery.onAck(40, ackOf([1, 1]), notes, notes).rttMs).toBe(39);
  expect(recovery.onAck(90, ackOf([0, 1]), notes, notes).rttMs).toBeNull();
  expect(recovery.rtt?.latestMs).toBe(39);
});

test("LossRecovery doubles its probe timeout up to 3 s, and sends the oldest packet's contents again", () => {
  const [recovery, again] = [sentPackets(2), new Notes()];
  expect(recovery.probeAt).toBe(1_024);
  recovery.onProbeTimeout(1_024, again);
  expect(offsets(again)).toEqual([0]);
  expect(recovery.probeAt).toBe(1_024 + 2_048);
  recovery.onProbeTimeout(3_072, again);
  expect(recovery.probeAt).toBe(3_072 + 3_000);
  expect(recovery.waitingSinceMs).toBe(0);
  recovery.onAck(3_100, ackOf([0, 0]), again, again);
  expect([recovery.probeTimeouts, recovery.waitingSinceMs]).toEqual([0, 1]);
});

test("LossRecovery puts its probe off for what is acknowledged, and not for what is sent", () => {
  const [recovery, notes] = [new LossRecovery(), new Notes()];
  recovery.onSent(0, 1_000, contentsOf(0));
  recovery.onAck(20, ackOf([0, 0]), notes, notes);
  recovery.onSent(1_000, 1_000, contentsOf(1));
  const dueAt = recovery.probeAt;
  for (let number = 2; number <= 9; number++) recovery.onSent(1_000 + number, 1_000, contentsOf(number));
  expect(recovery.probeAt).toBe(dueAt);
  recovery.onAck(1_021, ackOf([0, 5]), notes, notes);
  const fromLastSent = recovery.probeAt ?? 0;
  recovery.onSent(1_030, 1_000, contentsOf(10));
  expect(recovery.probeAt).toBe(fromLastSent + (1_021 - 1_009));
});

test("LossRecovery lets a late ack count, and from then on goes by time alone", () => {
  const [recovery, acked, lost] = [sentPackets(8), new Notes(), new Notes()];
  recovery.onAck(50, ackOf([4, 4]), acked, lost);
  expect(offsets(lost)).toEqual([0, 1]);
  expect(recovery.onAck(51, ackOf([4, 4], [0, 1]), acked, lost)).toMatchObject({ ackedBytes: 0, isProgress: true });
  expect(offsets(acked).toSorted((a, b) => a - b)).toEqual([0, 1, 4]);
  recovery.onAck(52, ackOf([7, 7]), acked, lost);
  expect(offsets(lost)).toEqual([0, 1]);
});

test("LossRecovery tells persistent congestion when all was lost for three probe timeouts, RFC 9002 §7.6", () => {
  const [recovery, notes] = [new LossRecovery(), new Notes()];
  recovery.onSent(0, 1_000, contentsOf(0));
  recovery.onAck(20, ackOf([0, 0]), notes, notes);
  for (let number = 1; number <= 6; number++) recovery.onSent(number * 100, 1_000, contentsOf(number));
  recovery.onSent(700, 1_000, contentsOf(7));
  expect(recovery.onAck(720, ackOf([7, 7]), notes, notes).isPersistent).toBe(true);
  const short = sentPackets(8);
  expect(short.onAck(720, ackOf([7, 7]), notes, notes).isPersistent).toBe(false);
});

test("LossRecovery refuses an ack of a number not sent yet, or left out", () => {
  const notes = new Notes();
  expect(() => sentPackets(3).onAck(9, ackOf([3, 3]), notes, notes)).toThrow("never sent");
  const recovery = sentPackets(3);
  recovery.skip();
  recovery.onSent(4, 1_000, contentsOf(4));
  expect(() => recovery.onAck(9, ackOf([0, 4]), notes, notes)).toThrow("never sent");
  expect(() => recovery.onAck(9, ackOf([4, 4], [0, 2]), notes, notes)).not.toThrow();
});

test("LossRecovery.abandon() gives all in flight up, once", () => {
  const [recovery, lost, acked] = [sentPackets(300), new Notes(), new Notes()];
  recovery.abandon(lost);
  recovery.abandon(lost);
  expect(offsets(lost)).toEqual(Array.from({ length: 300 }, (_, number) => number));
  expect(recovery.sent.bytesInFlight).toBe(0);
  expect(recovery.onAck(400, ackOf([290, 299]), acked, lost).isProgress).toBe(true);
  expect(offsets(acked).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, number) => 290 + number));
});

test("LossRecovery takes no packet for acknowledged that has the place of one given up long ago", () => {
  const [recovery, lost, acked] = [sentPackets(1), new Notes(), new Notes()];
  recovery.abandon(lost);
  while (recovery.sent.next < 256) recovery.sent.pass(packetState.unknown);
  recovery.onSent(300, 1_000, contentsOf(256));
  recovery.onAck(301, ackOf([0, 0]), acked, lost);
  expect(offsets(acked)).toEqual([]);
  recovery.onAck(302, ackOf([256, 256]), acked, lost);
  expect(offsets(acked)).toEqual([256]);
});
