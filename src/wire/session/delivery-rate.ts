import type { SentColumns, SentPackets } from "./sent-packets.ts";

/**
 * Delivery-rate samples, draft-cheng-iccrg-delivery-rate-estimation-02: each packet remembers how much had been delivered and lost when
 * it left, so that its ack tells how much came through meanwhile. Bytes and milliseconds.
 */
export class DeliveryRate {
  deliveredBytes = 0;
  lostBytes = 0;
  #deliveredAtMs = 0;
  #firstSentAtMs = 0;
  /** The sender ran dry before this much was delivered. */
  #appLimitedUntil = 0;
  /** Of the newest packet acked since {@link startSample}: what it noted when it left. */
  priorDeliveredBytes = -1;
  priorLostBytes = 0;
  sentInFlightBytes = 0;
  isAppLimited = false;
  #priorAtMs = 0;
  #sendMs = 0;

  /** The packet in `slot` is in flight already. */
  onSent(now: number, { columns, packetsInFlight, bytesInFlight }: SentPackets, slot: number): void {
    if (packetsInFlight <= 1) this.#firstSentAtMs = this.#deliveredAtMs = now;
    columns.delivered[slot] = this.deliveredBytes;
    columns.deliveredAtMs[slot] = this.#deliveredAtMs;
    columns.firstSentAtMs[slot] = this.#firstSentAtMs;
    columns.appLimited[slot] = this.#appLimitedUntil > this.deliveredBytes ? 1 : 0;
    columns.inFlight[slot] = bytesInFlight;
    columns.lost[slot] = this.lostBytes;
  }

  startSample(): void {
    this.priorDeliveredBytes = -1;
  }

  onAcked(now: number, columns: SentColumns, slot: number): void {
    this.deliveredBytes += columns.bytes[slot] ?? 0;
    this.#deliveredAtMs = now;
    if ((columns.delivered[slot] ?? 0) < this.priorDeliveredBytes) return;
    this.priorDeliveredBytes = columns.delivered[slot] ?? 0;
    this.priorLostBytes = columns.lost[slot] ?? 0;
    this.sentInFlightBytes = columns.inFlight[slot] ?? 0;
    this.isAppLimited = columns.appLimited[slot] === 1;
    this.#priorAtMs = columns.deliveredAtMs[slot] ?? 0;
    this.#firstSentAtMs = columns.sentAtMs[slot] ?? 0;
    this.#sendMs = this.#firstSentAtMs - (columns.firstSentAtMs[slot] ?? 0);
  }

  /** Bytes per ms; 0 when acks came in less time than a round trip takes, which shows nothing but their compression. */
  rate(now: number, minRttMs: number): number {
    if (this.priorDeliveredBytes < 0) return 0;
    const intervalMs = Math.max(this.#sendMs, now - this.#priorAtMs);
    return intervalMs <= 0 || intervalMs < minRttMs ? 0 : (this.deliveredBytes - this.priorDeliveredBytes) / intervalMs;
  }

  /** Nothing more to send although the window has room: rates until all in flight is delivered are too low. */
  markAppLimited(bytesInFlight: number): void {
    this.#appLimitedUntil = this.deliveredBytes + Math.max(bytesInFlight, 1);
  }
}
