import { expect, test } from "bun:test";
import { Mtu } from "../../../../src/wire/session/mtu.ts";

/** Sends what is due until a search is over; lengths up to `carries` arrive, after 10 ms. @returns the lengths, and when it was over */
function run(mtu: Mtu, now: number, carries: number): { readonly sent: number[]; readonly now: number } {
  const sent: number[] = [];
  for (let bytes = mtu.poll(now); bytes !== null; bytes = mtu.poll(now)) {
    mtu.onSent(sent.length, bytes, now + 200);
    sent.push(bytes);
    now += bytes <= carries ? 10 : 200;
    if (bytes <= carries) mtu.onArrived(now);
    else mtu.handleTimeout(now);
  }
  return { sent, now };
}

test("Mtu raises packets with each probe that arrives, and is at rest for 10 minutes when the search is over", () => {
  const mtu = new Mtu({ family: 4, now: 0 });
  expect([mtu.bytes, mtu.state, mtu.dueAt]).toEqual([1_200, "base", 0]);
  const { now } = run(mtu, 0, 65_507);
  expect([mtu.bytes, mtu.state, now, mtu.dueAt]).toEqual([8_952, "complete", 20, 600_020]);
});

test("Mtu gives a length up after three probes, and has one on its way at a time", () => {
  const mtu = new Mtu({ family: 4, now: 0 });
  expect(run(mtu, 0, 1_300).sent).toEqual([
    ...Array<number>(3).fill(1_452),
    ...Array<number>(3).fill(1_326),
    1_263,
    1_294,
  ]);
  expect([mtu.bytes, mtu.state]).toEqual([1_294, "complete"]);
  const other = new Mtu({ family: 4, now: 0 });
  other.onSent(7, other.poll(0) ?? 0, 200);
  expect([other.poll(100), other.dueAt, other.probeNumber, other.pollTimeout()]).toEqual([null, null, 7, 200]);
  other.handleTimeout(199);
  expect(other.probeNumber).toBe(7);
});

test("Mtu takes one refusal by the system for certain, and only for the length it was about", () => {
  const mtu = new Mtu({ family: 6, now: 0 });
  mtu.onSent(0, mtu.poll(0) ?? 0, 200);
  mtu.onRefused(1, 9_000);
  expect(mtu.probeNumber).toBe(0);
  mtu.onRefused(1, 1_432);
  expect([mtu.probeNumber, mtu.poll(1)]).toEqual([null, 1_316]);
  mtu.onRefused(1, 1_200);
  expect(mtu.state).toBe("search");
});

test("Mtu goes back to 1200 bytes at a black hole and searches again, later each time, up to 10 minutes", () => {
  const mtu = new Mtu({ family: 4, now: 0 });
  let now = 0;
  const pauses: number[] = [];
  for (let turn = 0; turn < 12; turn++) {
    ({ now } = run(mtu, now, 1_472));
    mtu.onBlackHole(now);
    expect([mtu.bytes, mtu.state, mtu.poll(now)]).toEqual([1_200, "base", null]);
    pauses.push((mtu.dueAt ?? 0) - now);
    now = mtu.dueAt ?? 0;
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600].map((seconds) => 1_000 * seconds));
  ({ now } = run(mtu, now, 1_472));
  mtu.onBlackHole(now + 60_000);
  expect(mtu.dueAt).toBe(now + 61_000);
});

test("Mtu takes a refusal of what was proven for a black hole", () => {
  const mtu = new Mtu({ family: 4, now: 0 });
  const { now } = run(mtu, 0, 1_472);
  mtu.onRefused(now, 1_300);
  expect([mtu.bytes, mtu.dueAt]).toEqual([1_200, now + 1_000]);
});

test("Mtu tries longer packets 10 minutes after a search, and keeps what it has until one arrives", () => {
  const mtu = new Mtu({ family: 4, now: 0 });
  run(mtu, 0, 1_300);
  const dueAt = mtu.dueAt ?? 0;
  expect(mtu.poll(dueAt - 1)).toBeNull();
  expect(mtu.poll(dueAt)).toBe(1_452);
  expect([mtu.bytes, mtu.state]).toEqual([1_294, "search"]);
  run(mtu, dueAt, 1_472);
  expect(mtu.bytes).toBe(1_472);
});

test("Mtu of a path whose packets may be cut up stays at 1200 bytes and never asks", () => {
  const mtu = new Mtu({ family: null, now: 0 });
  mtu.onBlackHole(5);
  mtu.onBaseLost(5);
  mtu.onRefused(5, 1_400);
  expect([mtu.bytes, mtu.state, mtu.dueAt, mtu.poll(1e9)]).toEqual([1_200, "fixed", null, null]);
});

test("Mtu begins from the base when even that was in doubt", () => {
  const mtu = new Mtu({ family: 4, now: 0 });
  run(mtu, 0, 1_472);
  mtu.onBaseLost(5_000);
  expect([mtu.bytes, mtu.state]).toEqual([1_200, "error"]);
  expect(run(mtu, 6_000, 1_472).sent[0]).toBe(1_452);
  expect(mtu.state).toBe("complete");
});
