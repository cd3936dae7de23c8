import { randomBytes } from "node:crypto";
import { utf8 } from "../../../src/wire/bytes.ts";
import { MAX_FORWARD_BYTES } from "../../../src/wire/limits.ts";
import { relay } from "../../../src/wire/messages/relay.ts";
import { hmacSha256 } from "../../../src/wire/noise/primitives.ts";
import { attendAll, bringIn } from "../support/crowd.ts";
import { row } from "../support/figures.ts";
import { cpuSecondsOf } from "../support/process.ts";
import { inPairs, type Ringing } from "../support/ringing.ts";
import { NO_BRAKES, Town } from "../support/town.ts";
import { LightWebSocket } from "../support/web-socket.ts";

const GB = 1_000_000_000;
const SECONDS = 5;
/** As a session keeps them: less than the 256 KiB at which the server drops. */
const IN_FLIGHT_BYTES = 192 * 1_024;
const UNLIMITED = ["limit-relay-rate = 0", "limit-relay-daily = 0"];

/** `relay`: one flow through a relay leg at each end, in messages as large as they may be. */
export async function bench(): Promise<void> {
  await using town = await Town.found({ people: 2, settings: [...NO_BRAKES, ...UNLIMITED] });
  const clients = town.clients(0, 2);
  await bringIn(clients);
  await attendAll(clients);
  const [pair] = inPairs(clients);
  if (pair === undefined) throw new Error("nobody to relay for");
  const session = await pair[0].ring(pair[1]);
  const flow = new Flow();
  const [from, to] = await Promise.all(pair.map((end) => bind(end, session, town.node.place.port, flow)));
  if (from === undefined || to === undefined) throw new Error("no legs");
  await flow.run(from, 1); // until what runs often is compiled
  const cpu = cpuSecondsOf(town.node.pid);
  const { bytes, seconds } = await flow.run(from, SECONDS);
  const cpuSeconds = cpuSecondsOf(town.node.pid) - cpu;
  row("one flow", `${((bytes * 8) / GB / seconds).toFixed(2)} Gbit/s`, { must: "1", aim: "2.5" });
  row("the server's CPU", `${(cpuSeconds / (bytes / GB)).toFixed(2)} s/GB`, { must: "5", aim: "1.5" });
}

/** What is under way from one leg to the other, never more than a server keeps. */
class Flow {
  #sent = 0;
  #arrived = 0;
  #room: () => void = () => undefined;
  readonly #message = new Uint8Array(randomBytes(MAX_FORWARD_BYTES));

  arrived(bytes: number): void {
    this.#arrived += bytes;
    this.#room();
  }

  async run(from: LightWebSocket, forSeconds: number): Promise<{ bytes: number; seconds: number }> {
    const [start, before] = [performance.now(), this.#arrived];
    const end = start + forSeconds * 1_000;
    while (performance.now() < end) {
      while (this.#sent - this.#arrived < IN_FLIGHT_BYTES && from.queuedBytes === 0) {
        from.send(this.#message);
        this.#sent += this.#message.length;
      }
      await new Promise<void>((resolve) => (this.#room = resolve));
    }
    return { bytes: this.#arrived - before, seconds: (performance.now() - start) / 1_000 };
  }
}

/** Resolves when the leg of this end is bound. */
async function bind({ client }: Ringing, session: Uint8Array, port: number, flow: Flow): Promise<LightWebSocket> {
  const answer = await client.request({ kind: "openLeg", session });
  if (answer.kind !== "leg") throw new Error(`no leg: ${answer.kind}`);
  const bound = Promise.withResolvers<void>();
  let isBound = false;
  const socket: LightWebSocket = new LightWebSocket(port, "/v1/relay", {
    opened: () => undefined,
    closed: (reason) => bound.reject(new Error(`the leg ended: ${reason}`)),
    message(bytes) {
      if (isBound) return flow.arrived(bytes.length);
      const message = relay.decode(bytes);
      if (message.kind === "challenge") {
        const mac = hmacSha256(answer.key, utf8("p2p leg"), message.nonce, answer.leg);
        socket.send(relay.encode({ kind: "bind", leg: answer.leg, mac }));
      } else if (message.kind === "bound") bound.resolve(void (isBound = true));
      else bound.reject(new Error(`the leg was refused: ${message.kind}`));
    },
  });
  await bound.promise;
  return socket;
}
