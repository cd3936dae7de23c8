import { signalling } from "../../../src/wire/messages/signalling.ts";
import { attendAll, bringIn } from "../support/crowd.ts";
import { row } from "../support/figures.ts";
import { cpuSecondsOf } from "../support/process.ts";
import { inPairs, type Ringing } from "../support/ringing.ts";
import { NO_BRAKES, NO_RING_LIMITS, Town } from "../support/town.ts";

const PAIRS = 64;
/** Each end says so many at once, and then one for each that it hears. */
const IN_FLIGHT = 8;
const BODY = new Uint8Array(16).fill(7);
/** Of what a session may send inside the channels, beyond which it would be refused. */
const MOST_FOR_A_SESSION = 65_536 / BODY.length - IN_FLIGHT;
const FORWARD = 0x48;

interface Count {
  routed: number;
}

/** `signalling [SESSIONS]`: small messages between the two ends of sessions, open in one channel and sealed in the other. */
export async function bench([sessions = "1"]: readonly string[]): Promise<void> {
  await using town = await Town.found({ people: 2 * PAIRS, settings: [...NO_BRAKES, ...NO_RING_LIMITS] });
  const clients = town.clients(0, 2 * PAIRS);
  await bringIn(clients);
  await attendAll(clients);
  const pairs = inPairs(clients);
  await measure(town, pairs); // until what runs often is compiled
  const done: Figures[] = [];
  for (let session = 0; session < Number(sessions); session++) done.push(await measure(town, pairs));
  const best = done.reduce((a, b) => (b.cpuSeconds / b.routed < a.cpuSeconds / a.routed ? b : a));
  row("messages a second", (best.routed / best.seconds).toFixed(0));
  row("for each second of the server's CPU", (best.routed / best.cpuSeconds).toFixed(0), {
    must: "100000",
    aim: "250000",
  });
}

interface Figures {
  readonly routed: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** All that new sessions of every pair may say. */
async function measure({ node }: Town, pairs: readonly (readonly [Ringing, Ringing])[]): Promise<Figures> {
  const count: Count = { routed: 0 };
  const ends = await Promise.all(
    pairs.map(async ([a, b]) => {
      const session = await a.ring(b);
      const plain = signalling.encode({ kind: "forward", session, body: BODY });
      return {
        starts: [a, b].map(({ client }) => () => {
          for (let n = 0; n < IN_FLIGHT; n++) client.tellBytes(plain);
        }),
        over: Promise.all([a, b].map((end) => echo(end, plain, count))),
      };
    }),
  );
  const [start, cpu] = [performance.now(), cpuSecondsOf(node.pid)];
  for (const { starts } of ends) for (const begin of starts) begin();
  await Promise.all(ends.map(({ over }) => over));
  return {
    routed: count.routed,
    seconds: (performance.now() - start) / 1_000,
    cpuSeconds: cpuSecondsOf(node.pid) - cpu,
  };
}

/** Says the same for each that comes. Resolves when this end has heard all that its session may carry. */
function echo({ client }: Ringing, plain: Uint8Array, count: Count): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let heard = 0;
  client.onBytes = (bytes) => {
    if (bytes[1] !== FORWARD) return false;
    count.routed++;
    if (++heard === MOST_FOR_A_SESSION) resolve();
    if (heard <= MOST_FOR_A_SESSION - IN_FLIGHT) client.tellBytes(plain);
    return true;
  };
  return promise;
}
