import { parseArgs } from "node:util";
import { attendAll, bringIn } from "../support/crowd.ts";
import { row, Samples } from "../support/figures.ts";
import { cpuSecondsOf } from "../support/process.ts";
import { inPairs, type Ringing } from "../support/ringing.ts";
import { NO_BRAKES, NO_RING_LIMITS, Town } from "../support/town.ts";

const PAIRS = 200;
const SECONDS = 10;
/** Rings that wait for their answer in the second part, where each pair rings as soon as it is through. */
const AT_ONCE = 32;

/**
 * `rings [--nodes N] [--accounts URL] [--presence URL] [--rate RINGS]`: from a ring to the other end's accept, hung up again. On several
 * nodes the two ends of each ring are on different ones.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { nodes, accounts, presence, rate } = optionsIn(args);
  const flags = presence === undefined ? [] : ["--presence", presence];
  const settings = [...NO_BRAKES, ...NO_RING_LIMITS];
  const options = { people: 2 * PAIRS, nodes, flags, settings };
  await using town = await Town.found(accounts === undefined ? options : { ...options, accounts });
  const clients = town.clients(0, 2 * PAIRS);
  await bringIn(clients);
  await attendAll(clients);
  await Bun.sleep(2_000);
  const pairs = inPairs(clients);
  await steadily(pairs, rate / 2, 2); // until what runs often is compiled
  const cpu = cpuOf(town);
  const start = performance.now();
  const times = await steadily(pairs, rate, SECONDS);
  const wanted = { must: "1000 a second, p99 100 ms" };
  row(`${rate} rings a second wanted`, `${((times.count * 1_000) / (performance.now() - start)).toFixed(0)} a second`);
  row("  ring to accept, p50 / p99 / worst", times.milliseconds, wanted);
  row("  CPU of all nodes for each", `${(((cpuOf(town) - cpu) / times.count) * 1_000).toFixed(2)} ms`);
  await asFastAsCanBe(pairs);
}

function optionsIn(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { nodes: text, accounts: text, presence: text, rate: text };
  const { nodes = "1", accounts, presence, rate = "1000" } = parseArgs({ args: [...args], options }).values;
  return { nodes: Number(nodes), accounts, presence, rate: Number(rate) };
}

/** At a fixed rate, whether the ones before are through or not. */
async function steadily(pairs: readonly (readonly [Ringing, Ringing])[], rate: number, seconds: number) {
  const [times, open] = [new Samples(), new Set<Promise<void>>()];
  const start = performance.now();
  for (let done = 0; done < rate * seconds; await Bun.sleep(1))
    for (const due = (performance.now() - start) * (rate / 1_000); done < due && done < rate * seconds; done++) {
      const [asker, asked] = pairs[done % pairs.length] ?? [];
      if (asker === undefined || asked === undefined) throw new Error("nobody rings");
      const one = ringOnce(asker, asked, times);
      open.add(one);
      void one.finally(() => open.delete(one));
    }
  await Promise.all(open);
  return times;
}

async function ringOnce(asker: Ringing, asked: Ringing, times: Samples): Promise<void> {
  const start = performance.now();
  const session = await asker.ring(asked);
  times.add(performance.now() - start);
  asker.hangUp(session);
}

async function asFastAsCanBe(pairs: readonly (readonly [Ringing, Ringing])[]): Promise<void> {
  const [times, start] = [new Samples(), performance.now()];
  const end = start + (SECONDS * 1_000) / 2;
  const each = async ([asker, asked]: readonly [Ringing, Ringing]) => {
    while (performance.now() < end) await ringOnce(asker, asked, times);
  };
  await Promise.all(pairs.slice(0, AT_ONCE).map(each));
  row(
    `as fast as can be, ${AT_ONCE} at a time`,
    `${((times.count * 1_000) / (performance.now() - start)).toFixed(0)} a second`,
  );
  row("  ring to accept, p50 / p99 / worst", times.milliseconds);
}

function cpuOf({ nodes }: Town): number {
  return nodes.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
}
