import type { BenchClient } from "./client.ts";
import { inPairs, type Ringing } from "./ringing.ts";

/**
 * Of one client, from one request to the next, whenever the answer comes: who asked again so long after an answer would come together
 * with all that had waited for the same thing, from then on, and wait for each other.
 */
const EVERY_MS = 100;
/** In turn; a ring is answered by the neighbour and hung up again. */
const ROUND = ["ping", "ping", "list", "ping", "ring", "ping", "list", "ping"] as const;

/** Milliseconds. */
export interface ChatterTimes {
  /** How long the answers took, also from when one should have been asked for that had to wait for the last. */
  readonly answers: readonly number[];
  /** How late it woke from its pauses, which is no fault of the server and not part of the answers. */
  readonly late: readonly number[];
}

/** What signed-in people do all the time: signs of life, pages of the directory, rings. */
export interface Chatter {
  /** Since the last call. */
  take(): ChatterTimes;
}

/** Begins at once. Takes the `onMessage` of the clients. */
export function chatter(clients: readonly BenchClient[]): Chatter {
  let [answers, late]: [number[], number[]] = [[], []];
  const start = performance.now();
  const go = async (own: Ringing, rings: Ringing | null, index: number) => {
    let due = start + ((index * 37) % 100) * (EVERY_MS / 100);
    for (let turn = index; ; turn++, due += EVERY_MS) {
      const free = performance.now();
      await Bun.sleep(Math.max(0, due - free));
      const lateMs = performance.now() - Math.max(due, free);
      await once(own, rings, ROUND[turn % ROUND.length] ?? "ping");
      answers.push(performance.now() - due - lateMs);
      late.push(lateMs);
    }
  };
  for (const [index, [one, other]] of inPairs(clients).entries()) {
    void go(one, other, 2 * index);
    void go(other, null, 2 * index + 1); // rings of both would cross
  }
  return {
    take: () => {
      const taken = { answers, late };
      [answers, late] = [[], []];
      return taken;
    },
  };
}

async function once(own: Ringing, rings: Ringing | null, what: (typeof ROUND)[number]): Promise<void> {
  if (what === "list") await own.client.request({ kind: "listPeople", after: "", limit: 50 });
  else if (what === "ring" && rings !== null) own.hangUp(await own.ring(rings));
  else await pong(own);
}

async function pong(own: Ringing): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  own.onOther = ({ kind }) => {
    if (kind === "pong") resolve();
  };
  own.client.tell({ kind: "ping" });
  return promise;
}
