import { expect, test } from "bun:test";
import { MAX_NAMES, type Seen, View } from "../../../../src/modes/server/view.ts";

const NOTHING: ReadonlyMap<string, Seen> = new Map();
const seen = (online: boolean): Seen => ({ userId: null, online, hiddenFrom: new Set() });
const full = (asked: readonly string[] = []) => {
  const view = new View(asked, true);
  for (let at = asked.length; at < MAX_NAMES; at++) view.set(`person${at}`, seen(true), NOTHING);
  return view;
};

test("a full View takes whoever comes in the place of who went first", () => {
  const view = full();
  expect(view.set("late", seen(true), NOTHING)).toBe(false);
  for (const name of ["person7", "person3"]) view.set(name, seen(false), NOTHING);
  expect(view.set("late", seen(true), NOTHING)).toBe(true);
  expect(view.get("person7")).toBeNull();
  expect(view.get("person3")).toEqual(seen(false));
  expect(view.known.size).toBe(MAX_NAMES);
});

test("a View keeps a name whose going was not told yet, and one that came back", () => {
  const view = full();
  view.set("person7", seen(false), NOTHING);
  expect(view.set("late", seen(true), new Map([["person7", seen(false)]]))).toBe(false);
  view.set("person7", seen(true), NOTHING);
  expect(view.set("late", seen(true), NOTHING)).toBe(false);
});

test("a View never gives up a name that was asked for", () => {
  const view = full(["ana"]);
  view.set("ana", seen(false), NOTHING);
  expect(view.set("late", seen(true), NOTHING)).toBe(false);
  expect(view.worthTelling.get("ana")).toEqual(seen(false));
});

test("a View of names wants no others, and a View of everyone nobody who only goes", () => {
  const names = new View(["ana"], false);
  expect([names.wants("ana", false, NOTHING), names.wants("ben", true, NOTHING)]).toEqual([true, false]);
  const everyone = new View([], true);
  expect([everyone.wants("ben", false, NOTHING), everyone.wants("ben", true, NOTHING)]).toEqual([false, true]);
});
