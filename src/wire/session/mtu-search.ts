import { MIN_DATAGRAM_BYTES } from "../limits.ts";

/**
 * The largest packet ever sent: a jumbo frame of 9 000 bytes less the heads of IPv6 and UDP, the largest that networks carry. Loopback
 * would take 65 507, but the calls that sealing costs are spread thin enough by then, seven fill a burst, and one lost costs no more than
 * seven short ones.
 */
export const MAX_DATAGRAM_BYTES = 8_952;
/** What Ethernet carries, less the heads … */
const ETHERNET_BYTES = { 4: 1_472, 6: 1_452 } as const;
/** … and less what PPPoE and one more tunnel head take: nearly every path carries this, and 45 of them go in a burst. */
const LIKELY_BYTES = { 4: 1_452, 6: 1_432 } as const;
/** Between Ethernet's and this there is hardly a network; what does not carry it is not asked for every length below. */
const JUMBO_BYTES = 6_000;
/** Lengths tried in one search. */
const MAX_SIZES = 8;
/** A gain below this share is not worth a probe. */
const GAIN = 1 / 32;

/** Which length to try next, RFC 8899 §5.3: those that networks have, the likely one first; then the middle of what is left. */
export class MtuSearch {
  readonly #usual: readonly number[];
  readonly #ethernetBytes: number;
  /** The longest known to arrive, and the shortest known not to. */
  #low: number;
  #high = MAX_DATAGRAM_BYTES + 1;
  #sizes = 0;

  constructor(provenBytes: number, family: 4 | 6) {
    this.#low = provenBytes;
    this.#ethernetBytes = ETHERNET_BYTES[family];
    this.#usual = [LIKELY_BYTES[family], MAX_DATAGRAM_BYTES, this.#ethernetBytes];
  }

  /** Null when the search is over. */
  get next(): number | null {
    if (this.#sizes >= MAX_SIZES) return null;
    const usual = this.#usual.find((bytes) => bytes > this.#low && bytes < this.#high);
    if (usual !== undefined) return usual;
    return this.#isOver ? null : Math.floor((this.#low + this.#high) / 2);
  }

  get #isOver(): boolean {
    if (this.#low >= this.#ethernetBytes && this.#high < JUMBO_BYTES) return true;
    return this.#high - this.#low <= this.#low * GAIN;
  }

  onArrived(bytes: number): void {
    this.#sizes++;
    this.#low = Math.max(bytes, this.#low);
  }

  onFailed(bytes: number): void {
    this.#sizes++;
    this.#high = Math.max(Math.min(bytes, this.#high), MIN_DATAGRAM_BYTES + 1);
  }
}
