import type { BenchClient } from "./client.ts";
import { inPairs, type Ringing } from "./ringing.ts";

/** Of one client, from one request to the next. */
const EVERY_MS = 100;
/** In turn; a ring is answered by the neighbour and hung up again. */
const ROUND = ["ping", "ping", "list", "ping", "ring", "ping", "list", "ping"] as const;

/** Milliseconds. */
export interface ChatterTimes {
  /** How long the answers took. */
  readonly answers: readonly number[];
  /** How late it woke from its pauses, which is no fault of the server: about as much of each answer is its own. */
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
  const go = async (own: Ringing, rings: Ringing | null, offset: number) => {
    await Bun.sleep(((offset * 37) % 100) * (EVERY_MS / 100));
    for (let turn = offset; ; turn++) {
      const start = performance.now();
      await once(own, rings, ROUND[turn % ROUND.length] ?? "ping");
      const end = performance.now();
      answers.push(end - start);
      await Bun.sleep(EVERY_MS);
      late.push(performance.now() - end - EVERY_MS);
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
