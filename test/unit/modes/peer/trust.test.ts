import { describe, expect, test } from "bun:test";
import {
  isTrusted,
  judge,
  type OfferedDevice,
  stranger,
  trustIn,
  trustOf,
  withDevices,
  withoutVerified,
  withVerified,
} from "../../../../src/modes/peer/trust.ts";

function device(number: number): OfferedDevice {
  const fill = (length: number, value: number) => new Uint8Array(length).fill(value);
  return { id: fill(16, number), key: fill(32, number), signKey: fill(32, 100 + number) };
}

const [laptop, phone, foreign] = [device(1), device(2), device(3)];
const bob = withDevices(stranger("bob"), [laptop, phone], new Uint8Array([9]));

test("all devices of somebody never met are trusted, on first use", () => {
  expect(judge(stranger("bob"), [laptop, phone])).toEqual({
    firstContact: true,
    trusted: [laptop, phone],
    changed: [],
  });
  expect([trustOf(stranger("bob")), trustIn(stranger("bob"), laptop)]).toEqual(["none", "none"]);
});

test("from then on only those are, with the device list that came with them", () => {
  expect(bob.devices.map(({ state }) => state)).toEqual(["new", "new"]);
  expect(bob.deviceList).toEqual(new Uint8Array([9]));
  expect(judge(bob, [laptop, foreign])).toEqual({ firstContact: false, trusted: [laptop], changed: [foreign] });
  expect([trustIn(bob, laptop), trustIn(bob, foreign), trustOf(bob)]).toEqual(["new", "changed", "new"]);
});

describe("a server that lies about a known person", () => {
  test("cannot add a device: it stays out, and the old ones stay in", () => {
    const after = withDevices(bob, [laptop, phone, foreign], null);
    expect(after.devices.map(({ state }) => state)).toEqual(["new", "new", "changed"]);
    expect(judge(after, [laptop, foreign])).toEqual({ firstContact: false, trusted: [laptop], changed: [foreign] });
    expect(trustOf(after)).toBe("changed");
    expect(isTrusted(after, foreign)).toBe(false);
  });

  test("cannot rebind the name: nobody is left to ring", () => {
    expect(judge(bob, [foreign])).toEqual({ firstContact: false, trusted: [], changed: [foreign] });
  });

  test("cannot swap either key of a device, under its old id or another one", () => {
    const swapped = { ...laptop, key: foreign.key };
    const resigned = { ...laptop, signKey: foreign.signKey };
    expect(judge(bob, [swapped, resigned]).trusted).toEqual([]);
  });

  test("gains nothing by offering a key again and again", () => {
    let person = bob;
    for (let round = 0; round < 3; round++) person = withDevices(person, [foreign], null);
    expect(person.devices).toHaveLength(3);
    expect(judge(person, [foreign]).trusted).toEqual([]);
  });

  test("cannot fill the disk, or push trusted devices out", () => {
    let person = bob;
    for (let number = 3; number < 200; number++) person = withDevices(person, [device(number)], null);
    expect(person.devices.length).toBeLessThanOrEqual(64);
    expect(judge(person, [laptop, phone, device(199)]).trusted).toEqual([laptop, phone]);
  });
});

test("a device enrolled anew keeps its trust with its keys; its id is brought up to date", () => {
  const again = { ...laptop, id: new Uint8Array(16).fill(77) };
  const after = withDevices(bob, [again], null);
  expect(judge(after, [again]).trusted).toEqual([again]);
  expect(after.devices).toHaveLength(2);
  expect(after.devices[0]?.id).toEqual(again.id);
});

describe("a compared number", () => {
  test("verifies one device, and the person when all are", () => {
    const half = withVerified(bob, laptop.key);
    expect([trustIn(half, laptop), trustIn(half, phone), trustOf(half)]).toEqual(["verified", "new", "new"]);
    expect(trustOf(withVerified(half, phone.key))).toBe("verified");
  });

  test("does not make a changed key trusted", () => {
    const after = withVerified(withDevices(bob, [foreign], null), foreign.key);
    expect([trustIn(after, foreign), isTrusted(after, foreign)]).toEqual(["changed", false]);
  });

  test("can be forgotten", () => {
    expect(withoutVerified(withVerified(bob, laptop.key))).toEqual(bob);
  });
});
