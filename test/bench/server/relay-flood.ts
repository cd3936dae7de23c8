import { attendAll, bringIn } from "../support/crowd.ts";
import { row } from "../support/figures.ts";
import { type LegEnd, openUdpLeg, openWebLeg } from "../support/leg-ends.ts";
import { inPairs } from "../support/ringing.ts";
import { NO_BRAKES, Town } from "../support/town.ts";
import { Traffic } from "../support/traffic.ts";

const TALKERS = 16;
const SECONDS = 5;
/** Sent without waiting for room, before the loop has its turn. */
const PIECES_A_TURN = 8;

/** `relay-flood`: how long signalling takes while one account sends as much over a relay leg as it can, with limits and without. */
export async function bench(): Promise<void> {
  for (const [what, settings] of [
    ["limits as usual", NO_BRAKES],
    ["no limits", [...NO_BRAKES, "limit-relay-rate = 0", "limit-relay-daily = 0"]],
  ] as const)
    await measure(what, settings);
}

async function measure(what: string, settings: readonly string[]): Promise<void> {
  await using town = await Town.found({ people: TALKERS + 2, settings });
  const clients = town.clients(TALKERS, TALKERS + 2);
  await bringIn(clients);
  await attendAll(clients);
  const [pair] = inPairs(clients);
  if (pair === undefined) throw new Error("nobody to flood with");
  const session = await pair[0].ring(pair[1]);
  using traffic = await Traffic.start(town.node.place, town.residents.slice(0, TALKERS));
  await Bun.sleep(2_000);
  await report(`${what}, signalling alone`, traffic, () => Bun.sleep(SECONDS * 1_000));
  for (const [way, open] of [
    ["WebSocket", openWebLeg],
    ["UDP", openUdpLeg],
  ] as const) {
    let bytes = 0;
    const arrived = (more: number) => void (bytes += more);
    const [from, to] = await Promise.all(pair.map((end) => open(end, session, town.node.place.port, arrived)));
    if (from === undefined || to === undefined) throw new Error("no legs");
    const sent = await report(`  beside a flood over ${way}`, traffic, () => flood(from));
    row("    sent and relayed", `${gigabits(sent)} and ${gigabits(bytes)} Gbit/s`);
    for (const end of [from, to]) end[Symbol.dispose]();
  }
}

async function report<T>(what: string, traffic: Traffic, run: () => Promise<T>): Promise<T> {
  await traffic.take();
  const result = await run();
  const answers = await traffic.take();
  row(what, `${answers.milliseconds} (${answers.count}; late by ${traffic.late.at(0.99).toFixed(1)})`);
  return result;
}

/** @returns the bytes sent */
async function flood(from: LegEnd): Promise<number> {
  let sent = 0;
  for (const end = performance.now() + SECONDS * 1_000; performance.now() < end;) {
    for (let piece = 0; piece < PIECES_A_TURN && from.hasRoom; piece++) {
      from.send();
      sent += from.pieceBytes;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

function gigabits(bytes: number): string {
  return ((bytes * 8) / SECONDS / 1e9).toFixed(2);
}
