import type { BenchClient } from "../support/client.ts";
import { attend, bringIn, comeBack, type DelayBefore, withJitter } from "../support/crowd.ts";
import { row, Samples } from "../support/figures.ts";
import { cpuSecondsOf } from "../support/process.ts";
import { PASSWORD } from "../support/residents.ts";
import { ONE_ADDRESS, Town } from "../support/town.ts";

/** `storm [CLIENTS]`: the server dies, and all come back with their tokens: first in the same moment, then as programs do. */
export async function bench([count = "5000"]: readonly string[]): Promise<void> {
  await using town = await Town.found({ people: Number(count), settings: ONE_ADDRESS });
  const clients = town.clients(0, Number(count));
  await bringIn(clients);
  for (const client of clients) attend(client);
  row("hashing one password", `${(await hashSeconds()).toFixed(3)} s of CPU`);
  await storm("all in the same moment", town, clients, () => 0, "server");
  await storm("with the jitter of programs", town, clients, withJitter, "line");
}

/** @param from when the clock starts: when the server is there again, or when the line breaks */
async function storm(
  what: string,
  { node }: Town,
  clients: readonly BenchClient[],
  delay: DelayBefore,
  from: "server" | "line",
): Promise<void> {
  const times = new Samples();
  const refusals = new Samples();
  let start = performance.now();
  const back = async (client: BenchClient) => {
    refusals.add(await comeBack(client, delay));
    attend(client);
    times.add((performance.now() - start) / 1_000);
  };
  await node.kill();
  const early = from === "line" ? clients.map(back) : [];
  await node.restart();
  const [restartedAfter, cpuBefore] = [(performance.now() - start) / 1_000, cpuSecondsOf(node.pid)];
  if (from === "server") start = performance.now();
  await Promise.all(from === "line" ? early : clients.map(back));
  const cpuSeconds = cpuSecondsOf(node.pid) - cpuBefore;
  const spread = [0.5, 0.99, 1].map((share) => times.at(share).toFixed(1)).join(" / ");
  row(`${what}: back after, p50 / p99 / all`, `${spread} s`, { must: "60 s" });
  row("  the server was ready again after", `${restartedAfter.toFixed(2)} s`);
  row("  turned away before, p50 / most", `${refusals.at(0.5)} / ${refusals.at(1)} times`);
  row("  the server's CPU for each", `${((cpuSeconds / clients.length) * 1_000).toFixed(2)} ms`, { must: "no hash" });
}

/** What the server would need for each if it looked at passwords. */
async function hashSeconds(): Promise<number> {
  const before = process.cpuUsage();
  await Bun.password.hash(PASSWORD, { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
