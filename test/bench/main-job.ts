import { randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";
import { row } from "./support/figures.ts";
import { cpuSecondsOf } from "./support/process.ts";

const MIB = 1_048_576;
const STARTS = 15;
const MESSAGES = 10;

/** `main-job [MIB]`: what two people do all day, and a file of that size. */
export async function bench([size = "256"]: readonly string[]): Promise<void> {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  row("p2p version, from start to end", `${median(await timed(STARTS, () => run(["version"])))} ms`);
  row("server with two people, resident", `${Math.round((await statusOf(town.server.pid, "VmRSS")) / 1_024)} MB`);
  await messages(ana, ben);
  await sendFile(join(town.folder, "file"), Number(size), ana, ben);
}

async function messages(from: Person, to: Person): Promise<void> {
  await using receiver = await to.receiving();
  const times = await timed(MESSAGES, () => from.run("msg", to.name, "hello"));
  row("p2p msg, from start to end", `${median(times)} ms`);
  const { events } = await from.run("ping", to.name, "-c", "3");
  const pongs = events.flatMap((event) => (event.event === "pong" ? [`${event.rttMs} ms ${event.path}`] : []));
  row("round trips over the session", pongs.join(", "));
  receiver.signal("SIGTERM");
}

/** From disk to disk. @returns Mbit/s, from the accept to the word that it is saved */
export async function sendFile(path: string, mebibytes: number, from: Person, to: Person): Promise<number> {
  await using handle = await open(path, "wx");
  for (let written = 0; written < mebibytes; written++) await handle.write(randomBytes(MIB));
  await using receiver = await to.receiving("--yes", "--once");
  await using sender = from.start("send", path, `@${to.name}`);
  const watch = [peaks(sender.pid), peaks(receiver.pid)];
  const { seconds } = await sender.waitFor("sent", () => true, 600_000);
  await sender.finished();
  const [sent, received] = await Promise.all(watch);
  const megabits = (mebibytes * MIB * 8) / 1e6 / seconds;
  row(`file of ${mebibytes} MiB`, `${megabits.toFixed(0)} Mbit/s, ${seconds.toFixed(1)} s`);
  row("CPU, sender and receiver", `${perGigabyte(sent, mebibytes)} and ${perGigabyte(received, mebibytes)} s/GB`);
  row("peak memory, sender and receiver", `${megabytes(sent)} and ${megabytes(received)} MB`);
  return megabits;
}

interface Peaks {
  readonly kilobytes: number;
  readonly cpuSeconds: number;
}

/** Follows a process until it ends. */
async function peaks(pid: number): Promise<Peaks | undefined> {
  for (let last: Peaks | undefined; ; await Bun.sleep(100)) {
    try {
      const kilobytes = await statusOf(pid, "VmHWM");
      // A process that ends has no memory to tell of any more.
      if (Number.isNaN(kilobytes)) return last;
      last = { kilobytes, cpuSeconds: cpuSecondsOf(pid) };
    } catch {
      return last;
    }
  }
}

/** Kilobytes. */
async function statusOf(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
}

async function timed(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < count; turn++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

function median(times: readonly number[]): string {
  return (times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN).toFixed(0);
}

function perGigabyte(figures: Peaks | undefined, mebibytes: number): string {
  return (((figures?.cpuSeconds ?? Number.NaN) / (mebibytes * MIB)) * 1e9).toFixed(1);
}

function megabytes(figures: Peaks | undefined): string {
  return ((figures?.kilobytes ?? Number.NaN) / 1_024).toFixed(0);
}
