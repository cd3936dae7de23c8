import type { UdpAddress } from "../../address.ts";
import { gatewayUrl } from "./gateway-url.ts";
import type { LaneTransmit } from "./lane.ts";
import { Repeats } from "./repeats.ts";
import { decodeSearchAnswer, encodeSearch, SSDP_GROUP } from "./ssdp.ts";

/** How long a gateway takes at most to answer; one that answers later is still heard. Milliseconds. */
const PATIENCE_MS = 1_000;
const SEARCH_AT_MS: readonly number[] = [0, 250, 600, 2_000];

/** Finds out where a gateway describes itself: asks the group and, for networks that lose what goes to many, the gateway alone. */
export class GatewaySearch {
  readonly #gatewayIp: string;
  readonly #repeats: Repeats;
  #patienceAt: number;
  /** Of this round, who is still to be asked. */
  #next: UdpAddress[] = [];

  constructor(now: number, gatewayIp: string) {
    this.#gatewayIp = gatewayIp;
    this.#repeats = new Repeats(now, SEARCH_AT_MS);
    this.#patienceAt = now + PATIENCE_MS;
  }

  get dueAt(): number {
    return this.#next.length > 0 ? -Infinity : Math.min(this.#repeats.dueAt, this.#patienceAt);
  }

  /** @returns whether to count on no answer from now on; once */
  takeSilence(now: number): boolean {
    if (now < this.#patienceAt) return false;
    this.#patienceAt = Infinity;
    return true;
  }

  poll(now: number): LaneTransmit | null {
    if (this.#repeats.take(now)) this.#next = [SSDP_GROUP, { ...SSDP_GROUP, ip: this.#gatewayIp }];
    const to = this.#next.shift();
    return to === undefined ? null : { to, bytes: encodeSearch(to) };
  }

  /** @returns the URL of the description, on the gateway itself; null for any other answer */
  locationIn(datagram: Uint8Array): string | null {
    return gatewayUrl(decodeSearchAnswer(datagram) ?? "", this.#gatewayIp);
  }
}
