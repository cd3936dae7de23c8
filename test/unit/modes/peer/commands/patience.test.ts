import { expect, test } from "bun:test";
import { endWhenSilent } from "../../../../../src/modes/peer/commands/patience.ts";
import type { Clock } from "../../../../../src/modes/runtime/clock.ts";
import { sessionPair } from "../../../../support/session-pair.ts";

test("a session whose other end is silent for as long as --wait allows ends, and says so", async () => {
  const clock = new Jumps();
  const session = silent();
  endWhenSilent(session, 60_000, clock);
  clock.jump(); // to the first question
  expect(session.closed).toEqual([]);
  expect(clock.nextMs).toBe(60_000);
  clock.jump();
  expect(session.closed).toEqual([["peer-gone", "nothing came from ben for 1 min 0 s"]]);
});

test("nobody is given up in less time than a change of path takes", () => {
  const clock = new Jumps();
  endWhenSilent(silent(), 500, clock);
  clock.jump();
  expect(clock.nextMs).toBe(10_000);
});

test("a session whose other end answers lives on, and is asked again and again until it ends", async () => {
  const clock = new Jumps();
  const { a } = sessionPair();
  endWhenSilent(a, 60_000, clock);
  for (let time = 0; time < 3; time++) {
    expect(clock.nextMs).toBe(10_000);
    clock.jump();
    await Bun.sleep(0); // the answer
  }
  await a.close();
  await Bun.sleep(0);
  expect(await a.ended).toMatchObject({ reason: "finished" });
  expect(clock.nextMs).toBeNull();
});

function silent() {
  const closed: [string | undefined, string | undefined][] = [];
  return {
    peer: "ben",
    closed,
    ended: new Promise<never>(() => undefined),
    ping: () => new Promise<never>(() => undefined),
    close: (code?: string, reason?: string) => Promise.resolve(void closed.push([code, reason])),
  };
}

/** Holds one thing put off at a time, and does it when told to. */
class Jumps implements Clock {
  nextMs: number | null = null;
  #run: () => void = () => undefined;

  now(): number {
    return 0;
  }

  soon(run: () => void): () => void {
    return this.after(0, run);
  }

  after(delayMs: number, run: () => void): () => void {
    this.nextMs = delayMs;
    this.#run = run;
    return () => {
      if (this.#run === run) this.nextMs = null;
    };
  }

  jump(): void {
    if (this.nextMs === null) throw new Error("nothing is put off");
    this.nextMs = null;
    this.#run();
  }
}
