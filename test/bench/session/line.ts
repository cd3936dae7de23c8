import { join } from "node:path";
import { Community } from "../../support/community.ts";
import { sendFile } from "../main-job.ts";
import { type Goal, row, Samples } from "../support/figures.ts";
import { type Line, type Place, WireLink } from "../support/wire-link.ts";
import type { CeilingOrder, CeilingReport } from "./ceiling-end.ts";
import type { EndOrder, EndReport } from "./end.ts";

interface Job extends Goal {
  readonly line: Line;
  readonly run: (link: WireLink, goal: Goal) => Promise<void>;
}

const MIB = 1_048_576;
const BULK_BYTES = 1_024 * MIB;
const CEILING_MS = 3_000;
/** By which the targets were set. */
const CEILING_PACKET_BYTES = 1_200;
/** A path of 50 ms is judged with its start. */
const FAR_MS = 6_000;
const NEAR_MS = 120_000;
const ECHOES = 20_000;
const LINES = 150;
const LINE_GAP_MS = 30;

const jobs: Readonly<Record<string, Job>> = {
  veth: { line: "veth", must: "0.4 ×", aim: "0.65 ×", run: (link, goal) => beside(link, goal, true) },
  nogso: { line: "veth-nogso", must: "0.6 ×", aim: "0.85 ×", run: (link, goal) => beside(link, goal, true) },
  plain: { line: "veth", must: "0.6 ×", aim: "0.85 ×", run: (link, goal) => beside(link, goal, false) },
  loss: { line: "veth-loss", must: "800 Mbit/s", aim: "0.85 × nogso", run: (link, goal) => beside(link, goal, true) },
  wan: { line: "wan", must: "400 Mbit/s", aim: "440", run: far },
  "wan-loss": { line: "wan-loss", must: "250 Mbit/s, 40 × cubic", aim: "380", run: far },
  echo: { line: "veth", must: "0.15 / 1.5", aim: "0.07 / 0.8", run: echo },
  "echo-loss": { line: "veth-loss", must: "p99 15", aim: "p99 5", run: echo },
  chat: { line: "wan", must: "p99 RTT + 60", aim: "p50 RTT + 10", run: chat },
  setup: { line: "wan", must: "160", aim: "108", run: setUp },
  disk: { line: "veth", must: "0.85 × bare", run: disk },
};

/** `line [JOB…]`: a bare session between two processes, beside its ceiling in the same run; all jobs when none is named. Needs root on Linux. */
export async function bench(names: readonly string[]): Promise<void> {
  for (const name of names.length > 0 ? names : Object.keys(jobs)) {
    const job = jobs[name];
    if (job === undefined) throw new Error(`there is no job ${name}: ${Object.keys(jobs).join(", ")}`);
    await using link = await WireLink.make(job.line);
    process.stdout.write(`\n${name}: ${link.about}\n`);
    await job.run(link, job);
  }
}

/** Ours between two ceilings: the machine is not alone, and the better one counts. */
async function beside(link: WireLink, goal: Goal, offload: boolean): Promise<void> {
  const before = await ceiling(link, offload);
  const own = await bulk(link, offload, NEAR_MS);
  const best = Math.max(before, await ceiling(link, offload));
  row("1 GiB over a session", `${own.toFixed(0)} Mbit/s, ${(own / best).toFixed(2)} × ceiling`, goal);
}

async function far(link: WireLink, goal: Goal): Promise<void> {
  const cubic = await iperf(link, "cubic");
  const bbr = await iperf(link, "bbr");
  const own = await bulk(link, true, FAR_MS);
  const ratios = `${(own / cubic).toFixed(1)} × cubic, ${(own / bbr).toFixed(2)} × bbr`;
  row("6 s over a session, its start included", `${own.toFixed(0)} Mbit/s, ${ratios}`, goal);
}

async function echo(link: WireLink, goal: Goal): Promise<void> {
  const [{ roundTrips }] = await session(link, { echoes: ECHOES });
  row("  64 bytes and back, the first thousand", samplesOf(roundTrips.slice(0, 1_000)).milliseconds);
  row("64 bytes and back, the last ten thousand", samplesOf(roundTrips.slice(-10_000)).milliseconds, goal);
}

async function chat(link: WireLink, goal: Goal): Promise<void> {
  const lines = { echoes: LINES, echoGapMs: LINE_GAP_MS };
  const [alone] = await session(link, lines);
  row("  a line and its answer, nothing else", samplesOf(alone.roundTrips).milliseconds);
  const [busy] = await session(link, { ...lines, bulkMs: FAR_MS, bulkBytes: BULK_BYTES });
  row("a line and its answer beside a file", samplesOf(busy.roundTrips).milliseconds, goal);
}

/** The server beside the one who is asked, a long way from the one who asks. */
async function setUp(link: WireLink, goal: Goal): Promise<void> {
  await using stage = await townOn(link);
  const { ana, ben } = stage;
  await using receiver = await ben.receiving();
  await ana.run("msg", ben.name, "hello");
  const words = [process.execPath, join(import.meta.dir, "setup-end.ts"), ana.home, ben.name, "20"];
  const child = Bun.spawn([...link.a.inside, ...words], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const times = samplesOf(JSON.parse(await child.stdout.text()) as number[]);
  receiver.signal("SIGTERM");
  row("from the ask to the first echo", times.milliseconds, goal);
}

/** The compiled program and its command line, beside the bare session on the same line. */
async function disk(link: WireLink, goal: Goal): Promise<void> {
  const bare = await bulk(link, true, NEAR_MS);
  await using stage = await townOn(link);
  const { town, ana, ben } = stage;
  const own = await sendFile(join(town.folder, "file"), BULK_BYTES / MIB, ana, ben);
  row("1 GiB from disk to disk", `${own.toFixed(0)} Mbit/s, ${(own / bare).toFixed(2)} × bare`, goal);
}

/** Ana at one end; Ben and the server at the other. */
async function townOn({ a, b }: WireLink) {
  const listen = `${b.ip}:7420`;
  const town = await Community.found({ inside: b.inside, listen, flags: ["--advertise", listen] });
  const ana = await town.register("ana", { inside: a.inside });
  const ben = await town.register("ben", { inside: b.inside });
  return { town, ana, ben, [Symbol.asyncDispose]: () => town[Symbol.asyncDispose]() };
}

/** @returns Mbit/s */
async function ceiling(link: WireLink, offload: boolean): Promise<number> {
  const order = { offload, packetBytes: CEILING_PACKET_BYTES, forMs: CEILING_MS };
  const run = (ends: Ends) =>
    runEnd<CeilingReport>(link, "ceiling-end.ts", { ...order, ...ends } satisfies CeilingOrder);
  const [sent, received] = await bothEnds(link, run);
  const megabits = (received.bytes * 8) / 1e6 / received.seconds;
  row(
    `  sealed ${offload ? "bursts" : "datagrams"}, the ceiling`,
    `${megabits.toFixed(0)} Mbit/s, ${costs(sent, received)}`,
  );
  return megabits;
}

/** @returns Mbit/s */
async function bulk(link: WireLink, offload: boolean, bulkMs: number): Promise<number> {
  const [sent, received] = await session(link, { offload, bulkMs, bulkBytes: BULK_BYTES });
  const path = sent.stats.paths.find(({ isSelected }) => isSelected);
  const { sentPackets = 0, lostPackets = 0, mtuBytes = 0 } = path ?? {};
  const waits = Object.entries(sent.stats.limitTimes).map(([what, ms]) => `${what} ${Math.round(ms)}`);
  row("  CPU, sender and receiver", costs(sent, { ...received, bytes: sent.bytes }), { must: "4", aim: "2.7" });
  row("  peak memory", `${mebibytes(sent)} and ${mebibytes(received)} MiB`, { must: "110", aim: "80" });
  row("  packets of up to", `${mtuBytes} bytes: ${sentPackets} sent, ${lostPackets} lost`);
  row("  milliseconds it waited for", waits.join(", "));
  return (sent.bytes * 8) / 1e6 / sent.seconds;
}

function session(link: WireLink, wanted: Partial<EndOrder>): Promise<[EndReport, EndReport]> {
  const order = { offload: true, bulkMs: 0, bulkBytes: 0, echoes: 0, echoGapMs: 0, ...wanted };
  return bothEnds(link, (ends) => runEnd<EndReport>(link, "end.ts", { ...order, ...ends } satisfies EndOrder));
}

interface Ends {
  readonly role: "talker" | "listener";
  readonly ip: string;
  readonly remoteIp: string;
}

function bothEnds<Report>(link: WireLink, run: (ends: Ends) => Promise<Report>): Promise<[Report, Report]> {
  const { a, b } = link;
  const listening = run({ role: "listener", ip: b.ip, remoteIp: a.ip });
  return Promise.all([run({ role: "talker", ip: a.ip, remoteIp: b.ip }), listening]);
}

async function runEnd<Report>(link: WireLink, program: string, order: Ends): Promise<Report> {
  const { inside }: Place = order.role === "talker" ? link.a : link.b;
  const words = [process.execPath, join(import.meta.dir, program), JSON.stringify(order)];
  const child = Bun.spawn([...inside, ...words], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  return JSON.parse(await child.stdout.text()) as Report;
}

/** @returns Mbit/s */
async function iperf(link: WireLink, control: "cubic" | "bbr"): Promise<number> {
  const server = Bun.spawn([...link.b.inside, "iperf3", "-s", "-1"], { stdout: "ignore", stderr: "ignore" });
  await Bun.sleep(500);
  const words = ["iperf3", "-c", link.b.ip, "-C", control, "-t", `${FAR_MS / 1_000}`, "-J"];
  const client = Bun.spawn([...link.a.inside, ...words], { stdout: "pipe", stderr: "ignore" });
  const said = JSON.parse(await client.stdout.text()) as { end?: { sum_received?: { bits_per_second: number } } };
  await server.exited;
  const megabits = (said.end?.sum_received?.bits_per_second ?? Number.NaN) / 1e6;
  row(`  iperf3, TCP with ${control}`, `${megabits.toFixed(1)} Mbit/s`);
  return megabits;
}

type Cost = Pick<CeilingReport, "cpuSeconds" | "bytes">;

function costs(sent: Cost, received: Cost): string {
  const cost = ({ cpuSeconds, bytes }: Cost) => ((cpuSeconds / bytes) * 1e9).toFixed(2);
  return `${cost(sent)} and ${cost(received)} s/GB`;
}

function mebibytes({ peakBytes }: EndReport): string {
  return (peakBytes / MIB).toFixed(0);
}

function samplesOf(values: readonly number[]): Samples {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples;
}
