import type { UdpAddress } from "../../wire/address.ts";
import { lengthAt, packetType } from "../../wire/packet/header.ts";
import type { UdpPort } from "../runtime/udp-port.ts";
import { PacketQueue } from "./packet-queue.ts";
import { TurnBudget } from "./turn-budget.ts";

/** What waits for one receiver while the system has no room; then its oldest goes. */
const MAX_QUEUED_BYTES = 262_144;

/** Whoever is sent to; the address may change while packets wait. */
export interface Receiver {
  readonly address: UdpAddress | null;
}

/** What a socket must be able to do for this. */
export type OutletPort = Pick<UdpPort, "send" | "drop">;

/** One UDP socket of the server and what waits to leave by it: while there is no room, the receivers take turns. */
export class UdpOutlet {
  readonly #port: OutletPort;
  readonly #budget: TurnBudget;
  readonly #waiting = new Map<Receiver, PacketQueue>();
  #hasRoom = true;

  constructor(port: OutletPort) {
    this.#port = port;
    this.#budget = new TurnBudget({
      spent: () => this.#port.drop(packetType.sealed),
      renewed: () => this.#port.drop(null),
    });
  }

  /** Whether so much as has just come by this socket may be relayed; if not, it is some of too much. */
  mayRelay(bytes: number): boolean {
    return this.#budget.take(bytes);
  }

  /** An answer, which is lost where there is no room. */
  reply(bytes: Uint8Array, to: UdpAddress): void {
    if (this.#hasRoom) this.#hasRoom = this.#port.send(bytes, to);
  }

  /** @param packets as the first one's head says, all of one length but for the last */
  send(to: Receiver, packets: Uint8Array): void {
    const queue = this.#waiting.get(to);
    if (queue === undefined && this.#hasRoom) return this.#push(to, packets);
    const own = queue ?? new PacketQueue();
    own.push(packets);
    while (own.weightBytes > MAX_QUEUED_BYTES) own.shift();
    this.#waiting.set(to, own);
  }

  drained(): void {
    this.#hasRoom = true;
    for (let [next] = this.#waiting; next !== undefined && this.#hasRoom; [next] = this.#waiting) {
      const [to, queue] = next;
      const packets = queue.shift();
      this.#waiting.delete(to);
      if (packets === null) continue;
      if (!queue.isEmpty) this.#waiting.set(to, queue);
      this.#push(to, packets);
    }
  }

  #push({ address }: Receiver, packets: Uint8Array): void {
    if (address !== null) this.#hasRoom = this.#port.send(packets, address, lengthAt(packets, 0));
  }
}
