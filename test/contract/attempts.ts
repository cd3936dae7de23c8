import { expect, test } from "bun:test";
import type { AttemptRule, Attempts } from "../../src/store/attempts.ts";

/** New counts as two server nodes see them; a back end that only one node can have gives the same ones twice. */
export interface AttemptsPlace extends AsyncDisposable {
  readonly nodes: readonly [Attempts, Attempts];
  /** Lets so much time go by for the counts. */
  readonly advance: (ms: number) => Promise<void>;
}

export interface AttemptsBackEnd {
  readonly name: string;
  readonly place: () => Promise<AttemptsPlace>;
}

const MINUTE_MS = 60_000;
/** So slow that nobody gets through by waiting during a test. */
const slow: AttemptRule = {
  free: 5,
  firstDelayMs: MINUTE_MS,
  maxDelayMs: 10 * MINUTE_MS,
  forgottenAfterMs: 60 * MINUTE_MS,
};
const quick: AttemptRule = { free: 1, firstDelayMs: 100, maxDelayMs: 200, forgottenAfterMs: 300 };

/** What all Attempts promise. */
export function attemptsContract({ name: backEnd, place }: AttemptsBackEnd): void {
  const title = (claim: string) => `Attempts (${backEnd}): ${claim}`;

  test(
    title("bad input 61: of many at the same moment, on all nodes together, the free ones alone begin"),
    async () => {
      await using at = await place();
      const waits = await Promise.all(
        Array.from({ length: 40 }, (_, index) => at.nodes[index % 2 === 0 ? 0 : 1].begin("ana", slow)),
      );
      expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(5);
      for (const waitMs of waits.filter((each) => each > 0))
        expect(waitMs).toBeWithin(MINUTE_MS - 5_000, MINUTE_MS + 1);
    },
  );

  test(title("one that comes too early is not counted; each waits twice as long, up to a most"), async () => {
    await using at = await place();
    const [attempts, other] = at.nodes;
    await other.clear("ana"); // the first call connects
    expect(await attempts.begin("ana", quick)).toBe(0);
    for (const delayMs of [100, 200, 200]) {
      const waitMs = await other.begin("ana", quick);
      expect(waitMs).toBeWithin(1, delayMs + 1);
      expect(await attempts.begin("ana", quick)).toBeWithin(1, waitMs + 1);
      await at.advance(waitMs + 1);
      expect(await attempts.begin("ana", quick)).toBe(0);
    }
  });

  test(title("clear() forgets those of one key, for all nodes"), async () => {
    await using at = await place();
    const [attempts, other] = at.nodes;
    for (const key of ["ana", "ben"]) for (let count = 0; count < 5; count++) await attempts.begin(key, slow);
    await other.clear("ana");
    await other.clear("nobody");
    for (let count = 0; count < 5; count++) expect(await attempts.begin("ana", slow)).toBe(0);
    expect(await attempts.begin("ana", slow)).toBeGreaterThan(0);
    expect(await attempts.begin("ben", slow)).toBeGreaterThan(0);
  });

  test(title("all are forgotten after a while without one"), async () => {
    await using at = await place();
    const [attempts, other] = at.nodes;
    expect(await attempts.begin("ana", quick)).toBe(0);
    await at.advance(quick.forgottenAfterMs + 20);
    const rule = { ...quick, free: 2 };
    expect([await other.begin("ana", rule), await other.begin("ana", rule)]).toEqual([0, 0]);
  });

  test(title("none free means that only the first ever waits for nothing"), async () => {
    await using at = await place();
    const [attempts] = at.nodes;
    expect(await attempts.begin("ana", { ...slow, free: 0 })).toBe(0);
    expect(await attempts.begin("ana", { ...slow, free: 0 })).toBeWithin(2 * MINUTE_MS - 5_000, 2 * MINUTE_MS + 1);
  });

  test(title("keys do not touch each other"), async () => {
    await using at = await place();
    const [attempts, other] = at.nodes;
    const keys = ["login:ana", "login:ben", "a\r\nFLUSHALL", "{a}", "*", "__proto__", "constructor", ""];
    const rule = { ...slow, free: 1 };
    for (const key of keys) expect(await attempts.begin(key, rule)).toBe(0);
    for (const key of keys) expect(await other.begin(key, rule)).toBeGreaterThan(0);
  });

  test(title("a key or rule that cannot be is a TypeError"), async () => {
    await using at = await place();
    const [attempts] = at.nodes;
    const wrong = [
      () => attempts.begin("x".repeat(257), slow),
      () => attempts.begin({ $gt: "" } as unknown as string, slow),
      () => attempts.begin("ana", { ...slow, free: -1 }),
      () => attempts.begin("ana", { ...slow, free: Number.POSITIVE_INFINITY }),
      () => attempts.begin("ana", { ...slow, firstDelayMs: 0 }),
      () => attempts.begin("ana", { ...slow, maxDelayMs: slow.firstDelayMs - 1 }),
      () => attempts.begin("ana", { ...slow, forgottenAfterMs: slow.maxDelayMs }),
      () => attempts.clear("x".repeat(257)),
    ];
    for (const each of wrong) expect(await each().catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  });
}
