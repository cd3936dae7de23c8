import { attendAll, bringIn } from "../support/crowd.ts";
import { row } from "../support/figures.ts";
import { type LegEnd, type OpenLeg, openUdpLeg, openWebLeg } from "../support/leg-ends.ts";
import { cpuSecondsOf } from "../support/process.ts";
import { inPairs } from "../support/ringing.ts";
import { NO_BRAKES, Town } from "../support/town.ts";

const GB = 1_000_000_000;
const SECONDS = 5;
/** As a session keeps them: less than the 256 KiB at which the server drops. */
const IN_FLIGHT_BYTES = 192 * 1_024;
/** What is not there by then was dropped. Milliseconds. */
const LOST_AFTER_MS = 50;
const UNLIMITED = ["limit-relay-rate = 0", "limit-relay-daily = 0"];

/** `relay`: one flow through a relay leg at each end, over WebSockets in messages as large as they may be and over UDP in bursts. */
export async function bench(): Promise<void> {
  await using town = await Town.found({ people: 2, settings: [...NO_BRAKES, ...UNLIMITED] });
  const clients = town.clients(0, 2);
  await bringIn(clients);
  await attendAll(clients);
  const [pair] = inPairs(clients);
  if (pair === undefined) throw new Error("nobody to relay for");
  const session = await pair[0].ring(pair[1]);
  const ways: readonly (readonly [string, OpenLeg])[] = [
    ["WebSocket", openWebLeg],
    ["UDP", openUdpLeg],
  ];
  for (const [way, open] of ways) {
    const flow = new Flow();
    const arrived = (bytes: number) => flow.arrived(bytes);
    const [from, to] = await Promise.all(pair.map((end) => open(end, session, town.node.place.port, arrived)));
    if (from === undefined || to === undefined) throw new Error("no legs");
    await flow.run(from, 1); // until what runs often is compiled
    const cpu = cpuSecondsOf(town.node.pid);
    const { bytes, seconds, lostShare } = await flow.run(from, SECONDS);
    const cpuSeconds = cpuSecondsOf(town.node.pid) - cpu;
    const lost = lostShare > 0 ? `, ${(100 * lostShare).toFixed(1)} % lost` : "";
    row(`one flow over ${way}`, `${((bytes * 8) / GB / seconds).toFixed(2)} Gbit/s${lost}`, { must: "1", aim: "2.5" });
    row("  the server's CPU", `${(cpuSeconds / (bytes / GB)).toFixed(2)} s/GB`, { must: "5", aim: "1.5" });
    for (const end of [from, to]) end[Symbol.dispose]();
  }
}

/** What is under way from one leg to the other, never more than a server keeps. */
class Flow {
  #inFlight = 0;
  #arrived = 0;
  #lost = 0;
  #room: () => void = () => undefined;

  arrived(bytes: number): void {
    this.#arrived += bytes;
    this.#inFlight = Math.max(0, this.#inFlight - bytes);
    this.#room();
  }

  async run(from: LegEnd, forSeconds: number): Promise<{ bytes: number; seconds: number; lostShare: number }> {
    const [start, before, lostBefore] = [performance.now(), this.#arrived, this.#lost];
    const end = start + forSeconds * 1_000;
    while (performance.now() < end) {
      while (this.#inFlight < IN_FLIGHT_BYTES && from.hasRoom) {
        from.send();
        this.#inFlight += from.pieceBytes;
      }
      await this.#moved();
    }
    const [bytes, lost] = [this.#arrived - before, this.#lost - lostBefore];
    return { bytes, seconds: (performance.now() - start) / 1_000, lostShare: lost / (bytes + lost) };
  }

  async #moved(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#room = resolve;
    const timer = setTimeout(() => {
      this.#lost += this.#inFlight;
      this.#inFlight = 0;
      resolve();
    }, LOST_AFTER_MS);
    await promise;
    clearTimeout(timer);
  }
}
