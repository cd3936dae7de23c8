import { canonicalIp } from "../../src/wire/address.ts";
import { toHex } from "../../src/wire/bytes.ts";
import { packetType, receiverIndexAt, typeAt } from "../../src/wire/packet/header.ts";
import { Allocation, Allocations } from "../../src/wire/relay/allocations.ts";
import { deriveLegKeys } from "../../src/wire/relay/leg-keys.ts";
import type { Ticket } from "./evil-relay.ts";

type Via = null;

/** One end at a relay over UDP. */
export interface UdpEnd {
  readonly session: string;
  /** Whose it is. */
  readonly name: string;
  /** To it, whatever it is; nowhere before it has shown where it hears. */
  send(datagram: Uint8Array): void;
}

/** Relay legs over UDP as PROTOCOL.md §8.2 has them, on a real socket, with nobody's good in mind: what becomes of each packet `onPacket` decides. */
export class EvilUdpRelay implements Disposable {
  onPacket: (packet: Uint8Array, to: UdpEnd) => void = (packet, to) => to.send(packet);
  readonly ends: UdpEnd[] = [];
  readonly #allocations: Allocations<Via>;
  readonly #byLeg = new Map<string, Allocation<Via>>();
  readonly #ends = new Map<Allocation<Via>, UdpEnd>();
  readonly #socket: Bun.udp.Socket<"buffer">;

  private constructor(socket: Bun.udp.Socket<"buffer">) {
    this.#socket = socket;
    this.#allocations = new Allocations<Via>({
      random: (length) => crypto.getRandomValues(new Uint8Array(length)),
      ownAddresses: [],
      find: (leg) => this.#byLeg.get(toHex(leg)) ?? null,
    });
  }

  static async open(): Promise<EvilUdpRelay> {
    const here: { relay: EvilUdpRelay | null } = { relay: null };
    const data = (_: unknown, datagram: Uint8Array, port: number, ip: string): void =>
      here.relay?.hear(datagram, canonicalIp(ip) ?? ip, port);
    const socket = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data, error: () => undefined } });
    here.relay = new EvilUdpRelay(socket);
    return here.relay;
  }

  get port(): number {
    return this.#socket.port;
  }

  /** From now on somebody may bind this leg. */
  add({ id, key, session, name }: Ticket): void {
    const allocation: Allocation<Via> = new Allocation<Via>({
      keys: deriveLegKeys(key),
      sender: `the other end of ${session} than ${name}`,
      other: () => this.#otherOf(allocation),
      send: () => undefined,
      mayBeLoopback: true,
    });
    const send = (datagram: Uint8Array): void => {
      const { address } = allocation;
      if (address !== null) this.#socket.send(datagram, address.port, address.ip);
    };
    const end = { session, name, send };
    this.#byLeg.set(toHex(id), allocation);
    this.#ends.set(allocation, end);
    this.ends.push(end);
  }

  hear(datagram: Uint8Array, ip: string, port: number): void {
    const now = performance.now();
    const type = typeAt(datagram, 0, datagram.length);
    if (type === packetType.legRequest) {
      const reply = this.#allocations.handleRequest(now, datagram, { ip, port }, null);
      if (reply !== null) this.#socket.send(reply, port, ip);
    } else if (type === packetType.sealed) {
      const receiver = this.#allocations.receiverOf(now, { ip, port }, receiverIndexAt(datagram, 0));
      const end = receiver === null ? undefined : this.#ends.get(receiver);
      if (end !== undefined) this.onPacket(datagram.slice(), end);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #otherOf(allocation: Allocation<Via>): Allocation<Via> | null {
    const own = this.#ends.get(allocation);
    const other = [...this.#ends].find(([, end]) => end !== own && end.session === own?.session);
    return other?.[0] ?? null;
  }
}
