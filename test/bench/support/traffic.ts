import { readdirSync, readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { Worker } from "node:worker_threads";
import type { ChatterTimes } from "./chatter.ts";
import type { Place } from "./client.ts";
import { Samples } from "./figures.ts";
import type { Resident } from "./residents.ts";

/** What is said to the thread. */
export type TrafficOrder =
  | { readonly kind: "start"; readonly place: Place; readonly people: readonly PlainResident[] }
  | { readonly kind: "take" };
/** What it answers; nothing when it has begun. */
export type TrafficReport = ChatterTimes;

type PlainResident = Omit<Resident, "keys"> & { readonly key: Uint8Array };

/** What signed-in people do all the time, in a thread of its own: what it measures is not the work of the crowd beside it. */
export class Traffic implements Disposable {
  /** How late the thread itself was, until the last call of `take`. Milliseconds. */
  late = new Samples();
  readonly #worker = new Worker(new URL("traffic-worker.ts", import.meta.url));

  static async start(place: Place, residents: readonly Resident[]): Promise<Traffic> {
    const traffic = new Traffic();
    const people = residents.map(({ keys, ...rest }) => ({ ...rest, key: keys.exportPrivateKey() }));
    await traffic.#ask({ kind: "start", place, people });
    lowerCrowd();
    return traffic;
  }

  /** How long the answers took since the last call. Milliseconds. */
  async take(): Promise<Samples> {
    const { answers, late } = await this.#ask({ kind: "take" });
    this.late = samplesOf(late);
    return samplesOf(answers);
  }

  [Symbol.dispose](): void {
    void this.#worker.terminate();
  }

  async #ask(order: TrafficOrder): Promise<TrafficReport> {
    const { promise, resolve, reject } = Promise.withResolvers<TrafficReport>();
    this.#worker.once("message", resolve).once("error", reject).postMessage(order, []);
    return promise;
  }
}

/** The crowd would have machines of its own: it may not take the time of what is measured, nor may what compiles its code. */
function lowerCrowd(): void {
  for (const thread of readdirSync("/proc/self/task")) {
    const isTraffic = readFileSync(`/proc/self/task/${thread}/comm`, "utf8") === "Worker\n";
    if (!isTraffic) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
  }
}

function samplesOf(values: readonly number[]): Samples {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples;
}
