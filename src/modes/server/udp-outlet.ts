import type { UdpAddress } from "../../wire/address.ts";
import { lengthAt } from "../../wire/packet/header.ts";
import type { UdpPort } from "../runtime/udp-port.ts";
import { PacketQueue } from "./packet-queue.ts";

/** What waits for one receiver while the system has no room; then its oldest goes. */
const MAX_QUEUED_BYTES = 262_144;

/** Whoever is sent to; the address may change while packets wait. */
export interface Receiver {
  readonly address: UdpAddress | null;
}

/** One UDP socket of the server and what waits to leave by it: while there is no room, the receivers take turns. */
export class UdpOutlet {
  readonly #port: Pick<UdpPort, "send">;
  readonly #waiting = new Map<Receiver, PacketQueue>();
  #hasRoom = true;

  constructor(port: Pick<UdpPort, "send">) {
    this.#port = port;
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
