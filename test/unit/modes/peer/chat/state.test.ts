import { expect, test } from "bun:test";
import { ChatState } from "../../../../../src/modes/peer/chat/state.ts";

function chat(): ChatState {
  return new ChatState("ana", "ben", { kind: "relay-ws", remote: "192.0.2.1:7420", rttMs: 1, why: "" });
}

function texts(state: ChatState, now: number): string[] {
  return state.take(now).map(({ kind, text }) => `${kind} ${text}`);
}

test("an own line waits until it is delivered, and lines settle in order", () => {
  const state = chat();
  for (const id of ["1", "2", "3"]) state.said(id, `line ${id}`);
  state.delivered("2");
  expect(texts(state, 0)).toEqual([]);
  expect(state.onTheirWay).toHaveLength(3);
  state.delivered("1");
  expect(texts(state, 0)).toEqual(["delivered line 1", "delivered line 2"]);
  expect(state.onTheirWay.map(({ text }) => text)).toEqual(["line 3"]);
});

test("bad input 145: a report for a line that nobody wrote changes nothing", () => {
  const state = chat();
  state.said("1", "one");
  state.delivered("9");
  expect(texts(state, 0)).toEqual([]);
});

test("bad input 138: of 1 000 messages a second 20 are shown, those that wait follow, the rest is counted", () => {
  const state = chat();
  for (let at = 0; at < 1_000; at++) state.heard(0, `m${at}`);
  expect(state.take(0)).toHaveLength(20);
  expect(state.nextAt(0)).toBeCloseTo(50);
  const later: string[] = [];
  for (let now = 50; now <= 20_000; now += 50) later.push(...texts(state, now));
  expect(later).toHaveLength(181);
  expect(later[179]).toBe("theirs m199");
  expect(later[180]).toBe("note 800 more messages of ben came too fast and are not shown");
  expect(state.nextAt(20_000)).toBeNull();
});

test("bad input 133: the bell rings at most once in 5 seconds", () => {
  const state = chat();
  let bells = 0;
  for (let now = 0; now <= 10_000; now += 10) {
    state.heard(now, "\u0007");
    if (state.takeBell()) bells += 1;
  }
  expect(bells).toBe(3);
});

test("typing fades after a while, and with the line that was typed", () => {
  const state = chat();
  state.typing(1_000);
  expect(state.isTyping(5_999)).toBe(true);
  expect(state.nextAt(5_999)).toBe(6_000);
  expect(state.isTyping(6_000)).toBe(false);
  state.typing(7_000);
  state.heard(7_001, "done");
  expect(state.isTyping(7_002)).toBe(false);
  state.typing(7_003); // sent before the line, and overtaken by it
  expect(state.isTyping(7_004)).toBe(false);
  state.typing(8_001);
  expect(state.isTyping(8_002)).toBe(true);
});

test("when it ends, what waited is shown and what was not delivered is marked", () => {
  const state = chat();
  for (let at = 0; at < 30; at++) state.heard(0, `m${at}`);
  state.said("1", "late");
  state.ended();
  const all = texts(state, 0);
  expect(all.slice(-2)).toEqual(["theirs m29", "not-delivered late"]);
  expect(all).toHaveLength(31);
});

test("a line that could not leave is marked at once", () => {
  const state = chat();
  state.said("1", "too much");
  state.refused("1");
  expect(texts(state, 0)).toEqual(["not-delivered too much"]);
  expect(state.onTheirWay).toEqual([]);
});
