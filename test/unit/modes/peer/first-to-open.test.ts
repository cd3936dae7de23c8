import { expect, test } from "bun:test";
import { FirstToOpen, type Opening } from "../../../../src/modes/peer/first-to-open.ts";

class Door implements Opening {
  readonly name: string;
  isClosed = false;
  readonly #end = Promise.withResolvers<void>();
  readonly begun: string[];

  constructor(name: string, begun: string[]) {
    this.name = name;
    this.begun = begun;
    begun.push(name);
  }

  open(): Promise<void> {
    return this.#end.promise;
  }

  opens(): void {
    this.#end.resolve();
  }

  fails(): void {
    this.#end.reject(new Error(this.name));
  }

  close(): void {
    this.isClosed = true;
    this.#end.reject(new Error(`${this.name} closed`));
  }
}

/** The head start of the first is over at the next turn of the loop. */
function race(...names: string[]) {
  const begun: string[] = [];
  const doors: Door[] = [];
  const starts = names.map((name) => () => {
    const door = new Door(name, begun);
    doors.push(door);
    return door;
  });
  return { race: new FirstToOpen(starts, 0), begun, doors };
}

test("FirstToOpen asks the first alone while it does not take long", async () => {
  const { race: first, begun, doors } = race("one", "two");
  const winner = first.winner();
  doors[0]?.opens();
  expect((await winner).name).toBe("one");
  expect(begun).toEqual(["one"]);
  expect(doors[0]?.isClosed).toBe(false);
});

test("FirstToOpen goes on at once where one fails, and tells all errors where all do", async () => {
  const { race: first, begun, doors } = race("one", "two");
  const winner = first.winner().catch((error: unknown) => error);
  doors[0]?.fails();
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toEqual(["one", "two"]);
  doors[1]?.fails();
  const error = await winner;
  expect(error).toBeInstanceOf(AggregateError);
  expect((error as AggregateError).errors.map(String)).toEqual(["Error: one", "Error: two"]);
});

test("FirstToOpen tries the next beside one that is silent, and closes the slower one", async () => {
  const { race: first, begun, doors } = race("silent", "two", "three");
  const winner = first.winner();
  while (begun.length < 2) await new Promise((resolve) => setImmediate(resolve));
  doors[1]?.opens();
  expect((await winner).name).toBe("two");
  expect(doors.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  expect(begun).toEqual(["silent", "two"]);
});

test("FirstToOpen, closed, ends all and begins nothing more", async () => {
  const { race: first, begun, doors } = race("one", "two");
  const winner = first.winner().catch((error: unknown) => error);
  first.close();
  expect(await winner).toBeInstanceOf(AggregateError);
  expect([begun, doors[0]?.isClosed]).toEqual([["one"], true]);
});

test("FirstToOpen of nobody, or of one that cannot begin, fails", async () => {
  expect(
    await race()
      .race.winner()
      .catch((error: unknown) => error),
  ).toBeInstanceOf(AggregateError);
  const broken = new FirstToOpen<Opening>([
    () => {
      throw new RangeError("no");
    },
  ]);
  expect(await broken.winner().catch((error: unknown) => error)).toBeInstanceOf(RangeError);
});
