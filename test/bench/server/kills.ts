import { parseArgs } from "node:util";
import { openAccountStore } from "../../../src/store/open.ts";
import { inTurns } from "../support/crowd.ts";
import { row, Samples } from "../support/figures.ts";
import type { BenchNode } from "../support/node.ts";
import { NO_BRAKES, Town } from "../support/town.ts";
import { Wanderer } from "../support/wanderer.ts";

const PEOPLE = 200;
/** Between two deaths: everybody writes meanwhile. */
const CALM_MS = 500;
const STARTS = 5;

/**
 * `kills --accounts URL --presence URL [--rounds N]`: two nodes under load, of which one after the other is killed and started again. Who
 * was there is back at the other node, and nothing that was acknowledged is lost.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const text = { type: "string" } as const;
  const {
    accounts,
    presence,
    rounds = "100",
  } = parseArgs({
    args: [...args],
    options: { accounts: text, presence: text, rounds: text },
  }).values;
  if (accounts === undefined || presence === undefined) throw new Error("kills needs --accounts and --presence");
  const flags = ["--presence", presence];
  await using town = await Town.found({ people: PEOPLE + 1, nodes: 2, accounts, flags, settings: NO_BRAKES });
  const [target, ...residents] = town.residents;
  if (target === undefined) throw new Error("a town without people");
  const places = town.nodes.map(({ place }) => place);
  const people = residents.map((resident, index) => new Wanderer(resident, target, places, index % 2));
  await inTurns(people, 32, (each) => each.enter());
  const lives = people.map((each) => each.live());
  const times = new Samples();
  for (let round = 0; round < Number(rounds); round++) await killOne(town, people, round % 2, times);
  for (const each of people) each.end();
  await Promise.all(lives);
  const written = people.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  row(`${rounds} nodes killed: people back after`, times.milliseconds, { must: "15 s" });
  row("writes acknowledged, and of these lost", `${written}, ${await lost(accounts, people)}`, { must: "0 lost" });
}

async function killOne({ nodes }: Town, people: readonly Wanderer[], at: number, times: Samples): Promise<void> {
  const node = nodes[at];
  if (node === undefined) throw new RangeError(`there is no node ${at}`);
  await Bun.sleep(CALM_MS);
  const there = people.filter((each) => each.node === at);
  const start = performance.now();
  await node.kill();
  await Bun.sleep(50); // until each has noticed
  await Promise.all(there.map((each) => each.back.then(() => times.add(performance.now() - start))));
  await startAgain(node);
}

/** A node that finds its databases too busy gives up at once; what watches over it starts it again. */
async function startAgain(node: BenchNode): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await node.restart();
    } catch (error) {
      if (tries === STARTS) throw error;
    }
  }
}

async function lost(accounts: string, people: readonly Wanderer[]): Promise<number> {
  await using store = await openAccountStore(accounts);
  let count = 0;
  for (const each of people) if (!each.isKept(await store.blocks.list(each.resident.userId))) count++;
  return count;
}
