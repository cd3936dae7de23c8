import { expect, test } from "bun:test";
import { Audience, type Watcher } from "../../../../src/modes/server/audience.ts";
import type { Member } from "../../../../src/modes/server/members.ts";
import { type Seen, View } from "../../../../src/modes/server/view.ts";
import { toHex } from "../../../../src/wire/bytes.ts";
import type { SignallingMessage } from "../../../../src/wire/messages/signalling.ts";
import { ManualClock } from "./manual-clock.ts";

const seen = (online: boolean, ...hiddenFrom: readonly string[]): Seen => ({
  userId: null,
  online,
  hiddenFrom: new Set(hiddenFrom),
});

function stage() {
  const clock = new ManualClock();
  const audience = new Audience(new View([], true), clock);
  const heard: (readonly [Watcher, SignallingMessage])[] = [];
  const join = (number: number): Watcher => {
    const [userId, deviceId] = [new Uint8Array(16).fill(number), new Uint8Array(16)];
    const identity = { userId, name: `user${number}`, deviceId, deviceKey: new Uint8Array(32) };
    const send = (message: SignallingMessage) => void heard.push([watcher, message]);
    const channel = { id: `${number}`, identity, nodeId: "", ip: "", observed: [], ring: () => {}, end: () => {} };
    const member: Member = { ...channel, send };
    const watcher: Watcher = { member, audience, own: null };
    audience.join(watcher);
    return watcher;
  };
  return { clock, audience, heard, join };
}

test("an Audience says one message to all, but another to whom somebody in it has blocked", () => {
  const { clock, audience, heard, join } = stage();
  const all = [1, 2, 3].map(join);
  clock.advance(0);
  audience.change("ana", seen(true, toHex(new Uint8Array(16).fill(2))));
  clock.advance(1_000);
  const messages = all.map((watcher) => heard.find(([to]) => to === watcher)?.[1]);
  expect(messages[0]).toEqual({ kind: "presence", changes: [{ name: "ana", online: true }] });
  expect(messages[1]).toEqual({ kind: "presence", changes: [{ name: "ana", online: false }] });
  expect(messages[2]).toBe(messages[0] as SignallingMessage);
});

test("who joins an Audience hears how all are with its next batch, and no change twice", () => {
  const { clock, audience, heard, join } = stage();
  join(1);
  clock.advance(0);
  audience.change("ana", seen(true));
  const late = join(2);
  clock.advance(999);
  expect(heard).toEqual([]);
  clock.advance(1);
  clock.advance(5_000);
  expect(heard.filter(([to]) => to === late)).toHaveLength(1);
  expect(heard).toHaveLength(2);
});

test("a large Audience is told in slices, each member once, and what changes meanwhile a second later", () => {
  const { clock, audience, heard, join } = stage();
  for (let number = 0; number < 1_000; number++) join(number % 256);
  clock.advance(0);
  audience.change("ana", seen(true));
  audience.change("ben", seen(true));
  clock.advance(1_000);
  expect(heard).toHaveLength(1_000);
  expect(new Set(heard.map(([, message]) => message)).size).toBe(1);
  audience.change("ana", seen(false));
  clock.advance(999);
  expect(heard).toHaveLength(1_000);
  clock.advance(1);
  expect(heard).toHaveLength(2_000);
});

test("an Audience that nobody is left in waits for nothing", () => {
  const { clock, audience, join } = stage();
  const watchers = [join(1), join(2)];
  clock.advance(0);
  audience.change("ana", seen(true));
  for (const watcher of watchers) audience.leave(watcher);
  expect([audience.isEmpty, clock.pending]).toEqual([true, 0]);
});
