import type { CongestionController } from "../congestion/controller.ts";
import type { Random } from "../core.ts";
import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { AckFrame } from "./frame-reader.ts";
import { LossRecovery, type Outcome } from "./loss-recovery.ts";
import { Pacer } from "./pacer.ts";
import type { RouteState } from "./route-state.ts";
import { type Fate, type PacketContents, packetState } from "./sent-packets.ts";

/** What one offloaded send holds: 65 507 bytes. */
const MAX_BURST_PACKETS = 54;
/** By chance this many full packets in a row are not lost, even where a third of all is. */
const DOUBTFUL_PACKETS = 24;
/** How far control and chat may go beyond a window that bulk has filled. Bytes. */
const MESSAGE_RESERVE_BYTES = 16 * MIN_DATAGRAM_BYTES;
/** Two probe timeouts make a path suspect, but not before this: programs and radios pause. Milliseconds. */
const SUSPECT_AFTER_MS = 300;
const SUSPECT_TIMEOUTS = 2;
/** A path that was suspect must work this long before it is chosen again. Milliseconds. */
const PROBATION_MS = 1_000;
/** Packets without a wish for an ack, after which one is made to ask, so that what we acknowledge can be forgotten. */
const QUIET_PACKETS = 16;

/** Our sending on one route: numbers, loss, RTT, congestion, pacing. Its id is ours to choose and never used again. */
export class SendPath {
  /** Full packets lost since one was acknowledged. */
  #fullLost = 0;
  readonly id: number;
  /** The server's path outlives its route. */
  route: RouteState;
  readonly recovery = new LossRecovery();
  readonly congestion: CongestionController;
  readonly #pacer: Pacer;
  readonly #random: Random;
  readonly #skipEveryPackets: number;
  /** Packets to be sent whatever the window says: a probe timeout fired. */
  probesOwed = 0;
  /** Since when it has been silent, once it is suspect. */
  suspectSinceMs: number | null = null;
  /** Was suspect and is not chosen before; null for others. */
  eligibleAtMs: number | null = null;
  sentBytes = 0;
  sentPackets = 0;
  probeTimeouts = 0;
  #quietPackets = 0;
  #skipAt: number;

  constructor(
    id: number,
    route: RouteState,
    congestion: CongestionController,
    random: Random,
    skipEveryPackets: number,
    now: number,
  ) {
    this.id = id;
    this.route = route;
    this.congestion = congestion;
    this.#random = random;
    this.#skipEveryPackets = skipEveryPackets;
    this.#skipAt = this.#skipDistance();
    this.#pacer = new Pacer(now);
  }

  /** A burst of bulk may begin now. */
  mayBeginBulk(now: number): boolean {
    const readyAt = this.pacedUntil(now);
    return readyAt !== null && readyAt <= now;
  }

  /** One more full bulk packet may leave in the burst that has begun. */
  mayContinueBulk(now: number): boolean {
    if (this.isSuspect || !this.#isWithin(0)) return false;
    return this.#pacer.budgetBytes(now, this.congestion.pacingBytesPerMs) >= MIN_DATAGRAM_BYTES - 1;
  }

  get isSuspect(): boolean {
    return this.suspectSinceMs !== null;
  }

  /** Full packets that may leave in one burst, at most 54. */
  burstPackets(now: number): number {
    const { sent } = this.recovery;
    const budget = this.#pacer.budgetBytes(now, this.congestion.pacingBytesPerMs);
    const bytes = Math.min(budget, this.congestion.windowBytes - sent.bytesInFlight);
    return Math.max(1, Math.min(MAX_BURST_PACKETS, Math.floor(bytes / MIN_DATAGRAM_BYTES)));
  }

  get lostPackets(): number {
    return this.recovery.lostPackets;
  }

  /** Control and chat do not wait behind bulk, neither for the pacer nor for the window. */
  get maySendMessages(): boolean {
    return this.#isWithin(MESSAGE_RESERVE_BYTES);
  }

  /** The next packet's number. Now and then one is left out. */
  nextNumber(): number {
    if (this.recovery.sent.next >= this.#skipAt) {
      this.recovery.skip();
      this.#skipAt = this.recovery.sent.next + this.#skipDistance();
    }
    return this.recovery.sent.next;
  }

  /** A packet that only acknowledges should now and then ask for an ack itself. */
  get isQuiet(): boolean {
    return this.#quietPackets >= QUIET_PACKETS;
  }

  onSent(now: number, bytes: number, contents: PacketContents, asksForAck: boolean): void {
    if (asksForAck) this.recovery.onSent(now, bytes, contents);
    else this.recovery.sent.pass(packetState.unknown);
    this.#quietPackets = asksForAck ? 0 : this.#quietPackets + 1;
    if (asksForAck) this.#pacer.spend(bytes);
    this.sentPackets++;
    this.sentBytes += bytes;
    this.route.onSent(bytes);
  }

  /** @throws WireError for an ack of what was never sent */
  onAck(now: number, ack: AckFrame, acked: Fate, lost: Fate): void {
    const outcome = this.recovery.onAck(now, ack, acked, lost);
    if (outcome.rttMs !== null) this.route.onRtt(now, outcome.rttMs);
    if (outcome.isProgress) this.#onProgress(now);
    this.#teachCongestion(now, outcome);
  }

  handleTimeout(now: number, lost: Fate): void {
    const { lossAt, probeAt } = this.recovery;
    if (lossAt !== null && now >= lossAt) this.#teachCongestion(now, this.recovery.detectLost(now, lost));
    else if (probeAt !== null && now >= probeAt) this.#onProbeTimeout(now, lost);
  }

  pollTimeout(): number | null {
    return this.recovery.lossAt ?? this.recovery.probeAt;
  }

  /** When the pacer lets a bulk packet go; null when it is the window that holds it. */
  pacedUntil(now: number): number | null {
    return !this.isSuspect && this.#isWithin(0) ? this.#pacer.readyAt(now, this.congestion.pacingBytesPerMs) : null;
  }

  /** What holds bulk where it is not the pacer. */
  get heldBy(): "window" | "path" {
    return this.isSuspect ? "path" : "window";
  }

  /** Short packets arrive, but so many full ones in a row do not that the route may not carry them any more, RFC 8899 §4.3. Asked once. */
  takeSizeDoubt(): boolean {
    if (this.isSuspect || this.#fullLost < DOUBTFUL_PACKETS) return false;
    this.#fullLost = 0;
    return true;
  }

  /** The server's path, on a route that is there again. */
  revive(route: RouteState): void {
    this.route = route;
    this.suspectSinceMs = this.eligibleAtMs = null;
    this.recovery.probeTimeouts = 0;
  }

  endProbation(now: number): void {
    if (this.eligibleAtMs !== null && now >= this.eligibleAtMs) this.eligibleAtMs = null;
  }

  /** There was room and nothing to fill it. */
  onIdle(): void {
    const { sent, rate } = this.recovery;
    if (sent.bytesInFlight < this.congestion.windowBytes) rate.markAppLimited(sent.bytesInFlight);
  }

  #isWithin(reserveBytes: number): boolean {
    const { sent } = this.recovery;
    return !sent.isFull && sent.bytesInFlight + MIN_DATAGRAM_BYTES <= this.congestion.windowBytes + reserveBytes;
  }

  #onProbeTimeout(now: number, again: Fate): void {
    const since = this.recovery.waitingSinceMs ?? now;
    this.recovery.onProbeTimeout(now, again);
    this.probeTimeouts++;
    this.probesOwed = 1;
    if (this.recovery.probeTimeouts >= SUSPECT_TIMEOUTS && now - since >= SUSPECT_AFTER_MS)
      this.suspectSinceMs ??= since;
    // All goes out again, on another path if there is one; a window full of unknowns would only hold the ring.
    if (this.isSuspect) this.#fullLost += this.recovery.abandon(again);
  }

  #onProgress(now: number): void {
    this.route.confirmedAtMs = now;
    this.route.unanswered = 0;
    if (this.isSuspect) this.eligibleAtMs = now + PROBATION_MS;
    this.suspectSinceMs = null;
  }

  #teachCongestion(now: number, outcome: Outcome): void {
    const { sent, rate, rtt } = this.recovery;
    this.#fullLost = outcome.ackedFull > 0 ? 0 : this.#fullLost + outcome.lostFull;
    if (outcome.lostBytes > 0) this.congestion.onLost(now, outcome.lostBytes, outcome.isPersistent);
    if (outcome.ackedBytes === 0) return;
    this.congestion.onAck({
      now,
      ackedBytes: outcome.ackedBytes,
      bytesInFlight: sent.bytesInFlight,
      rttMs: outcome.rttMs,
      deliveredBytes: rate.deliveredBytes,
      priorDeliveredBytes: rate.priorDeliveredBytes,
      deliveryRate: rate.rate(now, rtt?.minMs ?? 0),
      isAppLimited: rate.isAppLimited,
    });
  }

  #skipDistance(): number {
    const [high = 0, low = 0] = this.#random(2);
    return 2 + ((high * 256 + low) % (2 * this.#skipEveryPackets));
  }
}
