import type { UdpAddress } from "../../wire/address.ts";
import { packetType } from "../../wire/packet/header.ts";
import { type Run, runsOf } from "../../wire/packet/runs.ts";
import type { Discovery } from "./discovery.ts";
import type { UdpOutlet } from "./udp-outlet.ts";
import type { UdpRelay } from "./udp-relay.ts";

/** Where UDP comes in: takes apart what the kernel has joined, and hands each piece to whom it is for. */
export class UdpEntry {
  readonly #discovery: Discovery;
  readonly #relay: UdpRelay;

  constructor(discovery: Discovery, relay: UdpRelay) {
    this.#discovery = discovery;
    this.#relay = relay;
  }

  /** @param listener which of the server's ports heard it. @param outlet by which it is answered */
  handle(buffer: Uint8Array, from: UdpAddress, listener: number, outlet: UdpOutlet): void {
    for (const run of runsOf(buffer)) {
      if (run.type === packetType.sealed) this.#relay.relay(buffer, run, from, outlet);
      else {
        const reply = this.#answer(buffer, run, from, listener, outlet);
        if (reply !== null) outlet.reply(reply, from);
      }
    }
  }

  #answer(
    buffer: Uint8Array,
    { type, start, end }: Run,
    from: UdpAddress,
    listener: number,
    outlet: UdpOutlet,
  ): Uint8Array | null {
    const datagram = buffer.subarray(start, end);
    if (type === packetType.discoveryRequest) return this.#discovery.handleDatagram(datagram, from, listener);
    return type === packetType.legRequest ? this.#relay.handleRequest(datagram, from, outlet) : null;
  }
}
