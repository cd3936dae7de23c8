import { reconnectDelayMs } from "../../../src/modes/peer/server-link.ts";
import { type BenchClient, Closed } from "./client.ts";

/** So many set up their channels at a time: more would only wait for each other. */
const AT_ONCE = 64;
/** As long as a program waits for a server that does not answer. */
const OPEN_TIMEOUT_MS = 10_000;

/** Connects and signs in all of them, as fast as the server takes them. */
export async function bringIn(clients: readonly BenchClient[]): Promise<void> {
  await inTurns(clients, AT_ONCE, (client) => comeBack(client, () => 0));
}

/** Answers every ring for anybody, which makes a client present. */
export function attend(client: BenchClient): void {
  client.tell({ kind: "answer", answers: 15, people: [], rank: 1, sessions: [] });
}

/** Resolves when they can be rung. */
export async function attendAll(clients: readonly BenchClient[]): Promise<void> {
  for (const client of clients) attend(client);
  await inTurns(clients, AT_ONCE, (client) => client.request({ kind: "listDevices" }));
}

/** Before the n-th try, counted from 0. Milliseconds. */
export type DelayBefore = (attempt: number) => number;
/** As programs do it. */
export const withJitter: DelayBefore = (attempt) => reconnectDelayMs(attempt, Math.random());

/** Tries until it is signed in, not before the server wants to be asked again. @returns how often it was turned away */
export async function comeBack(client: BenchClient, delayMs: DelayBefore): Promise<number> {
  for (let [attempt, waitMs] = [0, 0]; ; attempt++) {
    waitMs = Math.max(waitMs, delayMs(attempt));
    if (waitMs > 0) await Bun.sleep(waitMs);
    try {
      await enter(client);
      return attempt;
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
      waitMs = error.retryMs;
    }
  }
}

async function enter(client: BenchClient): Promise<void> {
  const timeout = setTimeout(() => client.cut(), OPEN_TIMEOUT_MS);
  try {
    await client.connect();
    await client.signIn();
  } finally {
    clearTimeout(timeout);
  }
}

/** Runs `work` for each item, so many at a time. */
export async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
