import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { KeyPair } from "../../../src/wire/noise/primitives.ts";
import { BenchClient } from "./client.ts";
import { attendAll, bringIn } from "./crowd.ts";
import { type Chatter, chatter } from "./chatter.ts";
import type { TrafficOrder, TrafficReport } from "./traffic.ts";

let talk: Chatter | null = null;

parentPort?.on("message", (order: TrafficOrder) => {
  if (order.kind === "start") void start(order);
  else if (talk !== null) tell(talk.take());
});

/** It would have a machine of its own as well; without the right to this the figures hold some of its own waiting. */
function beFirst(): void {
  try {
    setPriority(0, constants.priority.PRIORITY_HIGH); // of this thread
  } catch {}
}

async function start({ place, people }: TrafficOrder & { readonly kind: "start" }): Promise<void> {
  beFirst();
  const clients = people.map(({ key, ...rest }) => new BenchClient({ ...rest, keys: new KeyPair(key) }, place));
  await bringIn(clients);
  await attendAll(clients);
  talk = chatter(clients);
  tell({ answers: [], late: [] });
}

function tell(report: TrafficReport): void {
  parentPort?.postMessage(report, []);
}
