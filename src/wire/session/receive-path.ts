import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import { ReplayWindow } from "../packet/replay-window.ts";
import { AckRanges } from "./ack-ranges.ts";

/** More than this is not left unacknowledged, however it comes: eight packets of the usual length, or one long one. */
const MAX_UNACKED_BYTES = 8 * MIN_DATAGRAM_BYTES;
const MAX_UNACKED_PACKETS = 8;

/** One path of the other end, by the id it gave it: what came on it, and when that is acknowledged. */
export class ReceivePath {
  readonly id: number;
  readonly window = new ReplayWindow();
  readonly ranges = new AckRanges();
  /** Key of the route the newest packet came on: where acks go. */
  routeKey: string;
  lastAtMs: number;
  /** When an ack is due; null while nothing asks for one. */
  ackAt: number | null = null;
  #largest = -1;
  #largestAtMs = 0;
  #unacked = 0;
  #unackedBytes = 0;
  #lastBytes = 0;

  constructor(id: number, routeKey: string, now: number) {
    this.id = id;
    this.routeKey = routeKey;
    this.lastAtMs = now;
  }

  /**
   * After a packet was opened and read. An ack is due at once for a gap, for a packet that is the end of a flight, and when many wait.
   * @param bytes of the packet: when it is shorter than a full one, probably none follows
   */
  onPacket(
    now: number,
    number: number,
    routeKey: string,
    asksForAck: boolean,
    bytes: number,
    maxAckDelayMs: number,
  ): void {
    const isInOrder = number === this.#largest + 1;
    this.ranges.add(number);
    this.lastAtMs = now;
    if (number > this.#largest) {
      this.#largest = number;
      this.#largestAtMs = now;
      this.routeKey = routeKey;
    }
    // How long a full one is, the packet before tells.
    const isLast = bytes < Math.max(MIN_DATAGRAM_BYTES, this.#lastBytes);
    this.#lastBytes = bytes;
    if (!asksForAck) return;
    this.#unacked++;
    this.#unackedBytes += bytes;
    const isMuch = this.#unacked >= MAX_UNACKED_PACKETS || this.#unackedBytes >= MAX_UNACKED_BYTES;
    const isUrgent = !isInOrder || isLast || isMuch;
    this.ackAt = Math.min(this.ackAt ?? Number.POSITIVE_INFINITY, isUrgent ? now : now + maxAckDelayMs);
  }

  /** The buffer that brought several packets has been read: one ack for all. */
  onBurstEnd(now: number): void {
    if (this.#unacked > 1) this.ackAt = now;
  }

  /** Since the largest came, for the other end's RTT. */
  ackDelayUs(now: number): number {
    return Math.max(0, Math.round((now - this.#largestAtMs) * 1_000));
  }

  onAckSent(): void {
    this.ackAt = null;
    this.#unacked = this.#unackedBytes = 0;
  }
}
