import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import { ReplayWindow } from "../packet/replay-window.ts";
import { AckPace } from "./ack-pace.ts";
import { AckRanges } from "./ack-ranges.ts";

/** Fewer do not make an ack urgent, RFC 9000 §13.2.2. */
const MIN_UNACKED_PACKETS = 2;

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
  /** In the buffer that is being read. */
  #burstPackets = 0;
  #waitBytes = 0;
  readonly #pace = new AckPace();

  constructor(id: number, routeKey: string, now: number) {
    this.id = id;
    this.routeKey = routeKey;
    this.lastAtMs = now;
  }

  /**
   * After a packet was opened and read. An ack is due at once for a gap, for a packet that is the end of a flight, and when as many wait
   * as {@link AckPace} lets.
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
    this.#pace.onPacket(now, bytes);
    if (!asksForAck) return;
    this.#burstPackets++;
    this.#unacked++;
    this.#unackedBytes += bytes;
    this.#waitBytes = this.#pace.waitBytes(maxAckDelayMs);
    const isMuch = this.#unacked >= MIN_UNACKED_PACKETS && this.#unackedBytes >= this.#waitBytes;
    const isUrgent = !isInOrder || isLast || isMuch;
    this.ackAt = Math.min(this.ackAt ?? Number.POSITIVE_INFINITY, isUrgent ? now : now + maxAckDelayMs);
  }

  /** A buffer has been read. For one that brought several packets there is one ack for all, unless they are few for this path. */
  onBurstEnd(now: number): void {
    if (this.#burstPackets > 1 && this.#unackedBytes >= this.#waitBytes / 2) this.ackAt = now;
    this.#burstPackets = 0;
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
