import { expect, test } from "bun:test";
import { PacketProtection } from "../../../../src/wire/packet/protection.ts";
import { KeyAge } from "../../../../src/wire/session/key-age.ts";
import { type SessionLimits, sessionLimits } from "../../../../src/wire/session/session-limits.ts";
import { keysOf, sealed } from "../packet/packets.ts";

const MINUTE_MS = 60_000;

/** Keys that have sealed and opened so many packets, with limits of their own. */
function used(sealedPackets: number, openedPackets: number, limits: SessionLimits): PacketProtection {
  const [ours, theirs] = keysOf(0);
  const options = {
    rekeyAfterPackets: limits.rekeyAfterPackets,
    rejectAfterPackets: limits.restrictAfterPackets + limits.gracePackets,
    rekeyAfterForgeries: 2 ** 36,
  };
  const [keys, other] = [new PacketProtection(ours, options), new PacketProtection(theirs, options)];
  for (let number = 0; number < sealedPackets; number++) sealed(keys, number, new Uint8Array(1));
  for (let number = 0; number < openedPackets; number++) {
    const packet = sealed(other, number, new Uint8Array(1));
    keys.open(packet, 0, packet.length);
  }
  return keys;
}

const small = { ...sessionLimits, rekeyAfterPackets: 20, restrictAfterPackets: 40, gracePackets: 5 };

test("the limits of keys are those that the protocol names", () => {
  const { rekeyAfterPackets, rekeyAfterMs, restrictAfterPackets, restrictAfterMs, gracePackets, graceMs } =
    sessionLimits;
  expect([rekeyAfterPackets, rekeyAfterMs]).toEqual([2 ** 22, 2 * MINUTE_MS]);
  expect([restrictAfterPackets + gracePackets, restrictAfterMs]).toEqual([2 ** 23, 3 * MINUTE_MS]);
  expect([gracePackets, graceMs]).toEqual([1_000, 60 * MINUTE_MS]);
});

test("KeyAge makes new keys due after so many packets, both directions counted, for either end", () => {
  for (const [sealedPackets, openedPackets, isDue] of [
    [19, 0, false],
    [20, 0, true],
    [0, 20, true],
    [10, 9, false],
    [10, 10, true],
  ] as const)
    for (const initiator of [true, false])
      expect(new KeyAge(small, 0).isDue(0, used(sealedPackets, openedPackets, small), initiator)).toBe(isDue);
});

test("KeyAge makes them due after two minutes for the end that starts them, and half a minute later for the other", () => {
  const [age, keys] = [new KeyAge(sessionLimits, 1_000), used(0, 0, sessionLimits)];
  expect([120_999, 121_000].map((now) => age.isDue(now, keys, true))).toEqual([false, true]);
  expect([150_999, 151_000].map((now) => age.isDue(now, keys, false))).toEqual([false, true]);
  age.restart(121_000);
  expect(age.isDue(240_999, keys, true)).toBe(false);
});

test("KeyAge restricts after twice as many packets or three minutes, and is spent after what is granted beyond", () => {
  expect(new KeyAge(small, 0).stateOf(0, used(39, 0, small))).toBe("open");
  const age = new KeyAge(small, 0);
  const keys = used(20, 20, small);
  expect(age.stateOf(0, keys)).toBe("restricted");
  for (let packet = 0; packet < 5; packet++) age.onRestrictedPacket();
  expect(age.stateOf(0, keys)).toBe("restricted");
  age.onRestrictedPacket();
  expect(age.stateOf(0, keys)).toBe("spent");
  const fresh = used(0, 0, sessionLimits);
  const states = [179_999, 180_000, 63 * MINUTE_MS - 1, 63 * MINUTE_MS];
  expect(states.map((now) => new KeyAge(sessionLimits, 0).stateOf(now, fresh))).toEqual([
    "open",
    "restricted",
    "restricted",
    "spent",
  ]);
});

test("KeyAge tells when time alone changes something next", () => {
  const [age, keys] = [new KeyAge(sessionLimits, 0), used(0, 0, sessionLimits)];
  const marks: (number | null)[] = [];
  for (const now of [0, 120_000, 180_000, 63 * MINUTE_MS]) {
    age.isDue(now, keys, true);
    marks.push(age.nextAt(true));
  }
  expect(marks).toEqual([120_000, 180_000, 63 * MINUTE_MS, null]);
});
