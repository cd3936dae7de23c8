import type { Answer } from "../../../src/wire/rendezvous/peer-end.ts";
import { BenchClient } from "../support/client.ts";
import { row, type Samples } from "../support/figures.ts";
import { settledBytesOf, watchOthers, watchPeakOf } from "../support/process.ts";
import { newDeviceOf, PASSWORD, type Resident } from "../support/residents.ts";
import { NO_RING_LIMITS, ONE_ADDRESS, Town } from "../support/town.ts";
import { Traffic } from "../support/traffic.ts";

const SIGNED_IN = 100;
const BEFORE_MS = 10_000;
const MIB = 1_048_576;

/** `logins [LOGINS]`: bad input 62, so many passwords at once while people who are signed in go on. */
export async function bench([count = "500"]: readonly string[]): Promise<void> {
  const people = SIGNED_IN + Number(count);
  await using town = await Town.found({ people, settings: [...ONE_ADDRESS, ...NO_RING_LIMITS] });
  const { pid, place } = town.node;
  const newcomers = town.residents.slice(SIGNED_IN).map((resident) => new BenchClient(newDeviceOf(resident), place));
  using traffic = await Traffic.start(place, town.residents.slice(0, SIGNED_IN));
  await Bun.sleep(2_000);
  await traffic.take();
  const othersBefore = watchOthers(pid);
  const bytes = await settledBytesOf(pid, BEFORE_MS);
  const [before, lateBefore, othersAtRest] = [await traffic.take(), traffic.late, othersBefore()];
  const others = watchOthers(pid);
  const peak = watchPeakOf(pid);
  await Promise.all(newcomers.map((client) => client.connect()));
  const connecting = await traffic.take();
  const [start, outcomes] = [performance.now(), new Map<string, number>()];
  await Promise.all(newcomers.map(async (client) => countOne(outcomes, await logIn(client))));
  const seconds = (performance.now() - start) / 1_000;
  const [during, lateDuring, othersInStorm] = [await traffic.take(), traffic.late, others()];
  const storm = connecting.and(during);
  const words = [...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(", ");
  row(`${newcomers.length} passwords at once`, `${words}, ${seconds.toFixed(1)} s`, { must: "busy after 5 s" });
  row("more resident at the peak", `${((peak.stop() - bytes) / MIB).toFixed(0)} MiB`, { must: "100" });
  row("answers before, p50 / p99 / worst", before.milliseconds);
  row("while they connected", connecting.milliseconds, { must: ratio(connecting, before) });
  row("while they sent passwords", during.milliseconds, { must: ratio(during, before) });
  row("both together", storm.milliseconds, { must: ratio(storm, before) });
  row("  the measuring thread was late by, before", lateBefore.milliseconds);
  row("  and while they sent passwords", lateDuring.milliseconds);
  row("  others took of a processor, before / then", `${othersAtRest.toFixed(0)} / ${othersInStorm.toFixed(0)} %`);
}

function ratio(during: Samples, before: Samples): string {
  return `p99 under 2 ×, is ${(during.at(0.99) / before.at(0.99)).toFixed(1)} ×`;
}

/** @returns `signed in`, or the code of the refusal */
async function logIn(client: BenchClient): Promise<string> {
  const answer: Answer = await client.request(enrolmentOf(client.resident));
  return answer.kind === "failed" ? answer.code : "signed in";
}

function enrolmentOf({ name, keys }: Resident) {
  const signKey = keys.publicKey.toReversed();
  return { kind: "enrol", name, password: PASSWORD, label: "bench", signKey, deviceList: new Uint8Array() } as const;
}

function countOne(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}
