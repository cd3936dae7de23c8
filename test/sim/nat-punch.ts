import { addressKey, type UdpAddress } from "../../src/wire/address.ts";
import type { NatCore } from "./nat-core.ts";
import { USUAL_TTL } from "./nat-host.ts";
import type { NatSide } from "./nat-world.ts";
import type { SimNetwork } from "./network.ts";

/** How two ends try: both send to the address that a server has seen of the other, again and again, and answer what they hear. */
export interface Manner {
  /** Sends to addresses it is heard from, too. */
  readonly learns: boolean;
  /** One datagram that opens the own NAT, and dies on its way, goes ahead. */
  readonly hasOpener: boolean;
  /** How much later the second one starts; the first, where negative. Milliseconds. */
  readonly lateMs: number;
}

type Word = "where" | "opener" | "probe" | "answer";

export const MIRROR: UdpAddress = { ip: "28.0.0.10", port: 3_478 };
const EVERY_MS = 100;
const TRIES = 20;
const OPENER_TTL = 4;
const OPENER_AHEAD_MS = 150;

/** A server that tells whoever sends it something where it sees that come from. */
export function addMirror(core: NatCore): void {
  core.attachServer(MIRROR.ip, {
    give: ({ from, to }) =>
      core.route({ from: to, to: from, ttl: USUAL_TTL, bytes: Buffer.from(JSON.stringify(from)) }),
  });
}

/** One end with one socket, as simple as can be. */
export class Puncher {
  /** Where the mirror has seen it; null when it has heard nothing of that. */
  seenAt: UdpAddress | null = null;
  /** A probe of its own was answered. */
  isThrough = false;
  readonly #network: SimNetwork;
  readonly #side: NatSide;
  readonly #socket: number;
  readonly #targets = new Map<string, UdpAddress>();
  #learns = false;

  /** @param port its own; any when left out */
  constructor(network: SimNetwork, side: NatSide, port?: number) {
    this.#network = network;
    this.#side = side;
    this.#socket = side.host.open((bytes, from) => this.#hear(Buffer.from(bytes).toString(), from), port);
    this.say("where", MIRROR);
  }

  say(word: Word, to: UdpAddress, ttl = USUAL_TTL): void {
    this.#side.host.send(this.#socket, Buffer.from(word), to, ttl);
  }

  close(): void {
    this.#side.host.close(this.#socket);
  }

  /** Tries for two seconds from `afterMs` on. */
  punch(target: UdpAddress, { learns, hasOpener }: Manner, afterMs: number): void {
    this.#learns = learns;
    this.#targets.set(addressKey(target), target);
    if (hasOpener) this.say("opener", target, OPENER_TTL);
    const startsMs = afterMs + (hasOpener ? OPENER_AHEAD_MS : 0);
    for (let index = 0; index < TRIES; index++) this.#network.in(startsMs + index * EVERY_MS, () => this.#probe());
  }

  #probe(): void {
    for (const target of this.#targets.values()) this.say("probe", target);
  }

  #hear(word: string, from: UdpAddress): void {
    if (word.startsWith("{")) this.seenAt = addressOf(word);
    if (word === "answer") this.isThrough = true;
    if (word !== "probe") return;
    this.say("answer", from);
    if (this.#learns) this.#targets.set(addressKey(from), from);
  }
}

/** Whether both get through; false as well where a server sees nothing of one. */
export function punch(network: SimNetwork, a: NatSide, b: NatSide, manner: Manner): boolean {
  const [first, second] = [new Puncher(network, a), new Puncher(network, b)];
  network.runFor(100);
  if (first.seenAt !== null && second.seenAt !== null) {
    first.punch(second.seenAt, manner, Math.max(0, -manner.lateMs));
    second.punch(first.seenAt, manner, Math.max(0, manner.lateMs));
    network.runFor(2 * TRIES * EVERY_MS);
  }
  first.close();
  second.close();
  return first.isThrough && second.isThrough;
}

function addressOf(text: string): UdpAddress {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("ip" in value) || !("port" in value)) throw new Error(text);
  return { ip: String(value.ip), port: Number(value.port) };
}
