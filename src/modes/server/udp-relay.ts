import { scopeOf, type UdpAddress } from "../../wire/address.ts";
import { toHex } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import { MAX_RELAYED_PACKET_BYTES } from "../../wire/limits.ts";
import { receiverIndexAt } from "../../wire/packet/header.ts";
import type { Run } from "../../wire/packet/runs.ts";
import { Allocation, Allocations } from "../../wire/relay/allocations.ts";
import { deriveLegKeys } from "../../wire/relay/leg-keys.ts";
import type { Clock } from "./clock.ts";
import type { LegShaper, ShapedLeg } from "./leg-shaper.ts";
import type { Leg } from "./pairing.ts";
import type { Pairings } from "./pairings.ts";
import { slowedDown } from "./relay-socket.ts";
import type { Tally } from "./tally.ts";
import type { UdpOutlet } from "./udp-outlet.ts";

export interface UdpRelayOptions {
  readonly pairings: Pairings;
  readonly shaper: LegShaper;
  readonly tally: Tally;
  readonly clock: Clock;
  readonly random: Random;
  /** Where this server itself is heard. */
  readonly ownAddresses: readonly UdpAddress[];
}

/** What one end of a pairing has over UDP, from its first request on. */
export class UdpLeg {
  readonly allocation: Allocation<UdpOutlet>;
  readonly shaped: ShapedLeg;
  readonly #onClose: () => void;

  constructor(allocation: Allocation<UdpOutlet>, shaped: ShapedLeg, onClose: () => void) {
    this.allocation = allocation;
    this.shaped = shaped;
    this.#onClose = onClose;
  }

  close(): void {
    this.shaped.close();
    this.#onClose();
  }
}

/** Relay legs over UDP: sealed packets between the two ends of a pairing, in the bursts in which they come. */
export class UdpRelay {
  readonly #options: UdpRelayOptions;
  readonly #allocations: Allocations<UdpOutlet>;

  constructor(options: UdpRelayOptions) {
    const { random, ownAddresses, pairings } = options;
    this.#options = options;
    this.#allocations = new Allocations({
      random,
      ownAddresses,
      find: (id) => {
        const leg = pairings.findLeg(id);
        return leg === null ? null : this.#of(leg).allocation;
      },
    });
  }

  /** Registered receiver indexes. */
  get size(): number {
    return this.#allocations.size;
  }

  /** @returns what to send back to `from` by `outlet`; null for silence */
  handleRequest(datagram: Uint8Array, from: UdpAddress, outlet: UdpOutlet): Uint8Array | null {
    return this.#allocations.handleRequest(this.#options.clock.now(), datagram, from, outlet);
  }

  /**
   * Hands sealed packets on, unopened, to whoever their receiver index belongs to; drops what nobody has registered.
   * @param by the socket at which they came
   */
  relay(buffer: Uint8Array, { start, end, stride }: Run, from: UdpAddress, by: UdpOutlet): void {
    if (stride > MAX_RELAYED_PACKET_BYTES || !by.mayRelay(end - start)) return;
    const receiver = this.#allocations.receiverOf(this.#options.clock.now(), from, receiverIndexAt(buffer, start));
    const sender = receiver?.options.other() ?? null;
    if (sender === null) return;
    // A part that has to wait shall not hold the memory of all.
    const packets = end - start === buffer.length ? buffer : buffer.slice(start, end);
    sender.options.send(packets);
  }

  #of(leg: Leg): UdpLeg {
    leg.udp ??= this.#open(leg);
    return leg.udp;
  }

  #open(leg: Leg): UdpLeg {
    const { end, key } = leg;
    const shaped = this.#options.shaper.open(end.account, {
      pass: (packets) => this.#pass(leg, packets),
      slowed: slowedDown(end, this.#options.tally),
    });
    const allocation = new Allocation<UdpOutlet>({
      keys: deriveLegKeys(key),
      sender: toHex(end.other.deviceKey),
      other: () => end.other.leg?.udp?.allocation ?? null,
      send: (packets) => shaped.push(packets),
      mayBeLoopback: isNear(end.member?.ip ?? ""),
    });
    return new UdpLeg(allocation, shaped, () => this.#allocations.close(allocation));
  }

  #pass({ end }: Leg, packets: Uint8Array): void {
    const receiver = end.other.leg?.udp?.allocation ?? null;
    if (receiver === null || receiver.reachableAt(this.#options.clock.now()) === null) return;
    receiver.via?.send(receiver, packets);
    this.#options.tally.relayed(end.account, packets.length);
  }
}

/** Where a channel of another node comes from is not known here. */
function isNear(channelIp: string): boolean {
  return channelIp === "" || scopeOf(channelIp) === "loopback";
}
