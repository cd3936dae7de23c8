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

async function start({ place, people }: TrafficOrder & { readonly kind: "start" }): Promise<void> {
  const clients = people.map(({ key, ...rest }) => new BenchClient({ ...rest, keys: new KeyPair(key) }, place));
  await bringIn(clients);
  await attendAll(clients);
  talk = chatter(clients);
  tell({ answers: [], late: [] });
}

function tell(report: TrafficReport): void {
  parentPort?.postMessage(report, []);
}
