import type { BenchClient } from "../support/client.ts";
import { attend, bringIn, comeBack, withJitter } from "../support/crowd.ts";
import { row, Samples } from "../support/figures.ts";
import { NewsCounter } from "../support/news-counter.ts";
import { cpuSecondsOf, settledBytesOf } from "../support/process.ts";
import { NO_RING_LIMITS, ONE_ADDRESS, Town } from "../support/town.ts";
import { Traffic } from "../support/traffic.ts";

const CHATTING = 100;
const QUIET_MS = 8_000;
/** For the last news to get round. */
const AFTER_MS = 3_000;
const MIB = 1_048_576;

/** `directory [MEMBERS]`: all look at everyone, and half of them lose their line and come back as programs do. */
export async function bench([count = "10000"]: readonly string[]): Promise<void> {
  const members = Number(count);
  await using town = await Town.found({ people: members + CHATTING, settings: [...ONE_ADDRESS, ...NO_RING_LIMITS] });
  const { pid, place } = town.node;
  const clients = town.clients(0, members);
  const counters = clients.map((client) => new NewsCounter(client));
  const started = [performance.now(), cpuSecondsOf(pid)] as const;
  await bringIn(clients);
  for (const client of clients) lookAround(client);
  row(`${members} came in`, since(...started, pid));
  using traffic = await Traffic.start(place, town.residents.slice(members));
  await settledBytesOf(pid, QUIET_MS);
  await traffic.take();
  row("resident with all looking", `${((await settledBytesOf(pid, QUIET_MS)) / MIB).toFixed(0)} MiB`);
  const before = await traffic.take();
  for (const counter of counters) counter.reset();
  const stormed = [performance.now(), cpuSecondsOf(pid)] as const;
  await loseLine(clients.filter((_, index) => index % 2 === 1));
  row(`${members / 2} lost their line and came back`, since(...stormed, pid));
  await Bun.sleep(AFTER_MS);
  const during = await traffic.take();
  report(counters.filter((_, index) => index % 2 === 0));
  row("rings and pages before, p50 / p99 / worst", before.milliseconds);
  row("meanwhile", during.milliseconds, { must: "p99 250 ms" });
}

function lookAround(client: BenchClient): void {
  attend(client);
  client.tell({ kind: "watch", names: [], everyone: true });
}

async function loseLine(clients: readonly BenchClient[]): Promise<void> {
  for (const client of clients) client.cut();
  await Promise.all(
    clients.map(async (client) => {
      await comeBack(client, withJitter);
      lookAround(client);
    }),
  );
}

/** Of those who stayed: who came back was also told how things stand. */
function report(counters: readonly NewsCounter[]): void {
  const [names, messages] = [new Samples(), new Samples()];
  for (const counter of counters) {
    names.add(counter.mostNames);
    messages.add(counter.mostMessages);
  }
  row("names told to one client in a second", `${names.at(0.5)}, at most ${names.at(1)}`, { must: "500" });
  row("messages with them in a second", `${messages.at(0.5)}, at most ${messages.at(1)}`, { must: "1" });
  const heard = counters.reduce((sum, each) => sum + each.names, 0);
  row("names told to each in all", (heard / counters.length).toFixed(0));
}

function since(start: number, cpuSeconds: number, pid: number): string {
  const [seconds, cpu] = [(performance.now() - start) / 1_000, cpuSecondsOf(pid) - cpuSeconds];
  return `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of the server's CPU`;
}
