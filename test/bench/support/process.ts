import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { footprintOf } from "../../support/raw-proc.ts";

/** User and system time so far, proc(5): fields 14 and 15 in ticks of 10 ms. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What all others take of this machine's processors meanwhile: neither this process nor `pid`. @returns asks for it, in percent of one */
export function watchOthers(pid: number): () => number {
  const secondsOf = () =>
    [performance.now() / 1_000, busySeconds() - cpuSecondsOf(pid) - cpuSecondsOf(process.pid)] as const;
  const [start, before] = secondsOf();
  return () => {
    const [end, after] = secondsOf();
    return ((after - before) / (end - start)) * 100;
  };
}

/** Of all processors since the start of the machine, proc(5): without fields 4 and 5, in which they wait. */
function busySeconds(): number {
  const [total = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const [user = 0, nice = 0, system = 0, , , ...interrupts] = total.split(/\s+/).slice(1, 8).map(Number);
  return interrupts.reduce((sum, each) => sum + each, user + nice + system) / 100;
}

/** The least of what is resident over a while: rubbish that is about to be collected is not counted. Bytes. */
export async function settledBytesOf(pid: number, forMs: number): Promise<number> {
  let least = footprintOf(pid).residentBytes;
  for (const end = performance.now() + forMs; performance.now() < end; await Bun.sleep(250))
    least = Math.min(least, footprintOf(pid).residentBytes);
  return least;
}

/** Follows a process until `stop` is called. @returns its peak in bytes */
export function watchPeakOf(pid: number): { readonly stop: () => number } {
  let peak = 0;
  const look = () => (peak = Math.max(peak, footprintOf(pid).residentBytes));
  const timer = setInterval(look, 20);
  return {
    stop: () => {
      clearInterval(timer);
      return look();
    },
  };
}

/** What the kernel holds for its own, of all processes: sockets and their queues among it. Bytes. */
export function kernelBytes(): number {
  const kilobytes = /^Slab:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return Number(kilobytes) * 1_024;
}

/** What else this machine does at the moment, for who reads the figures. */
export function loadNow(): string {
  return loadavg()[0]?.toFixed(1) ?? "";
}
