import type { CongestionController } from "../congestion/controller.ts";
import type { Random } from "../core.ts";
import { MAX_BURST_BYTES, MIN_DATAGRAM_BYTES } from "../limits.ts";
import { BlackHole } from "./black-hole.ts";
import type { AckFrame } from "./frame-reader.ts";
import { isAcked, LossRecovery, type Outcome } from "./loss-recovery.ts";
import type { Mtu } from "./mtu.ts";
import { Pacer } from "./pacer.ts";
import type { RouteState } from "./route-state.ts";
import { probeTimeoutMs } from "./rtt.ts";
import { type Fate, type PacketContents, packetState } from "./sent-packets.ts";

/** As many segments as one offloaded send holds. */
const MAX_BURST_PACKETS = 64;
/** Packets that a window holds at least: where it is small, they are. */
const WINDOW_PACKETS = 4;
/** A probe for size is lost after this many probe timeouts, and not before so long: programs pause. Milliseconds. */
const SIZE_PROBE_TIMEOUTS = 2;
const SIZE_PROBE_LEAST_MS = 200;
/** How far control and chat may go beyond a window that bulk has filled. Bytes. */
const MESSAGE_RESERVE_BYTES = 16 * MIN_DATAGRAM_BYTES;
/** Two probe timeouts make a path suspect, but not before this: programs and radios pause. Milliseconds. */
const SUSPECT_AFTER_MS = 300;
const SUSPECT_TIMEOUTS = 2;
/** Packets that a probe timeout sends, RFC 9002 §6.2.4: a second loss in a row is no reason to leave a path. */
const PROBES = 2;
/** A path that was suspect must work this long before it is chosen again. Milliseconds. */
const PROBATION_MS = 1_000;
/** Packets without a wish for an ack, after which one is made to ask, so that what we acknowledge can be forgotten. */
const QUIET_PACKETS = 16;

/** Our sending on one route: numbers, loss, RTT, congestion, pacing. Its id is ours to choose and never used again. */
export class SendPath {
  readonly id: number;
  /** A path over the server outlives its route. */
  route: RouteState;
  readonly recovery = new LossRecovery();
  readonly congestion: CongestionController;
  readonly mtu: Mtu;
  readonly #pacer: Pacer;
  readonly #random: Random;
  readonly #skipEveryPackets: number;
  /** Packets to be sent whatever the window says: a probe timeout fired. */
  probesOwed = 0;
  /** Since when it has been silent, once it is suspect. */
  suspectSinceMs: number | null = null;
  /** Was suspect and is not chosen before; null for others. */
  eligibleAtMs: number | null = null;
  /** What may still go of bulk. */
  bulkRoomBytes = Number.POSITIVE_INFINITY;
  sentBytes = 0;
  sentPackets = 0;
  probeTimeouts = 0;
  #quietPackets = 0;
  #skipAt: number;

  constructor(
    id: number,
    route: RouteState,
    congestion: CongestionController,
    mtu: Mtu,
    random: Random,
    skipEveryPackets: number,
    now: number,
  ) {
    this.id = id;
    this.route = route;
    this.congestion = congestion;
    this.mtu = mtu;
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

  get isSuspect(): boolean {
    return this.suspectSinceMs !== null;
  }

  /** What a full packet has now. A probe for loss is short: what it is sent for may be the length of the others. */
  get datagramBytes(): number {
    if (this.probesOwed > 0 || this.mtu.bytes === MIN_DATAGRAM_BYTES) return MIN_DATAGRAM_BYTES;
    const share = this.congestion.windowBytes / WINDOW_PACKETS;
    // An index that the engine keeps as a floating-point number makes all of the way of a packet slower.
    return Math.max(MIN_DATAGRAM_BYTES, Math.min(this.mtu.bytes, share)) | 0;
  }

  /** Packets of `datagramBytes` that may leave in one burst: at most 64, and what one send holds. */
  burstPackets(now: number, datagramBytes: number): number {
    const { sent } = this.recovery;
    const budget = this.#pacer.budgetBytes(now, this.congestion.pacingBytesPerMs);
    const bytes = Math.min(budget, this.congestion.windowBytes - sent.bytesInFlight, this.bulkRoomBytes);
    const most = Math.min(MAX_BURST_PACKETS, sent.room, Math.floor(MAX_BURST_BYTES / datagramBytes));
    return Math.max(1, Math.min(most, bytes / datagramBytes)) | 0;
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
    this.bulkRoomBytes -= bytes;
    this.sentPackets++;
    this.sentBytes += bytes;
    this.route.onSent(bytes);
  }

  /** @throws WireError for an ack of what was never sent */
  onAck(now: number, ack: AckFrame, acked: Fate, lost: Fate): void {
    const outcome = this.recovery.onAck(now, ack, acked, lost);
    if (outcome.rttMs !== null) this.route.onRtt(now, outcome.rttMs);
    if (outcome.isProgress) this.#onProgress(now);
    const { probeNumber } = this.mtu;
    if (probeNumber !== null && isAcked(ack, probeNumber)) this.mtu.onArrived(now);
    this.#teachCongestion(now, outcome);
    const { blackHole, sent } = this.recovery;
    if (!this.isSuspect && blackHole.takeLarge(sent.next)) this.mtu.onBlackHole(now);
  }

  handleTimeout(now: number, lost: Fate): void {
    const { lossAt, probeAt } = this.recovery;
    if (lossAt !== null && now >= lossAt) this.#teachCongestion(now, this.recovery.detectLost(now, lost));
    else if (probeAt !== null && now >= probeAt) this.#onProbeTimeout(now, lost);
    this.mtu.handleTimeout(now);
  }

  pollTimeout(): number | null {
    const [at, mtuAt] = [this.recovery.lossAt ?? this.recovery.probeAt, this.mtu.pollTimeout()];
    return at === null || mtuAt === null ? (at ?? mtuAt) : Math.min(at, mtuAt);
  }

  /** When the next probe for size is due; null while there is none, or the path is silent. */
  get sizeProbeAt(): number | null {
    return this.isSuspect ? null : this.mtu.dueAt;
  }

  /** It asks to be acknowledged, but nothing waits for it: neither window nor loss detection know it. */
  onSizeProbeSent(now: number, number: number, bytes: number): void {
    const timeoutMs = Math.max(SIZE_PROBE_TIMEOUTS * probeTimeoutMs(this.recovery.rtt), SIZE_PROBE_LEAST_MS);
    this.recovery.sent.pass(packetState.unknown);
    this.mtu.onSent(number, bytes, now + timeoutMs);
    this.#pacer.spend(bytes);
    this.sentPackets++;
    this.sentBytes += bytes;
    this.route.onSent(bytes);
  }

  /** When the pacer lets a bulk packet go; null when it is the window that holds it. */
  pacedUntil(now: number): number | null {
    if (!this.isSuspect && this.bulkRoomBytes > 0 && this.#isWithin(0))
      return this.#pacer.readyAt(now, this.congestion.pacingBytesPerMs);
    this.#pacer.rest();
    return null;
  }

  /** What holds bulk where it is not the pacer. */
  get heldBy(): "window" | "path" {
    return this.isSuspect ? "path" : "window";
  }

  /** Short packets arrive, but so many full ones in a row do not that the route may not carry them any more, RFC 8899 §4.3. Asked once. */
  takeSizeDoubt(): boolean {
    return !this.isSuspect && this.recovery.blackHole.takeBase();
  }

  /** A path over the server, on a route that is there again. */
  revive(route: RouteState): void {
    this.route = route;
    this.suspectSinceMs = this.eligibleAtMs = null;
    this.recovery.probeTimeouts = 0;
    // It has just carried a full datagram, whatever was lost before.
    this.recovery.blackHole = new BlackHole();
  }

  endProbation(now: number): void {
    if (this.eligibleAtMs !== null && now >= this.eligibleAtMs) this.eligibleAtMs = null;
  }

  /** Silent since then where the other end was to be heard. */
  doubt(since: number): void {
    this.suspectSinceMs ??= since;
  }

  /** A challenge on its route was answered. What is in flight has to be acknowledged all the same. */
  onAnswered(now: number): void {
    if (this.isSuspect && this.recovery.sent.packetsInFlight === 0) this.#onProgress(now);
  }

  /** There was room and nothing to fill it. */
  onIdle(): void {
    const { sent, rate } = this.recovery;
    this.#pacer.rest();
    if (sent.bytesInFlight < this.congestion.windowBytes) rate.markAppLimited(sent.bytesInFlight);
  }

  #isWithin(reserveBytes: number): boolean {
    const { sent } = this.recovery;
    return !sent.isFull && sent.bytesInFlight + this.datagramBytes <= this.congestion.windowBytes + reserveBytes;
  }

  #onProbeTimeout(now: number, again: Fate): void {
    const since = this.recovery.waitingSinceMs ?? now;
    this.recovery.onProbeTimeout(now, again);
    this.probeTimeouts++;
    this.probesOwed = PROBES;
    if (this.recovery.probeTimeouts >= SUSPECT_TIMEOUTS && now - since >= SUSPECT_AFTER_MS)
      this.suspectSinceMs ??= since;
    // All goes out again, on another path if there is one; a window full of unknowns would only hold the ring.
    if (this.isSuspect) this.recovery.abandon(again);
  }

  #onProgress(now: number): void {
    this.route.confirmedAtMs = now;
    this.route.unanswered = 0;
    if (this.isSuspect) this.eligibleAtMs = now + PROBATION_MS;
    this.suspectSinceMs = null;
  }

  #teachCongestion(now: number, outcome: Outcome): void {
    const { sent, rate, rtt } = this.recovery;
    if (outcome.lateBytes > 0) this.congestion.onSpurious?.(now, outcome.lateBytes);
    if (outcome.newestLost !== null) this.#teachLoss(now, outcome, outcome.newestLost);
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
      sentInFlightBytes: rate.sentInFlightBytes,
      lostSinceBytes: rate.lostBytes - rate.priorLostBytes,
    });
  }

  #teachLoss(now: number, { lostBytes, isPersistent }: Outcome, newest: number): void {
    const { rate, sent } = this.recovery;
    const { columns } = sent;
    const slot = newest & columns.mask;
    this.congestion.onLost({
      now,
      lostBytes,
      sentAtMs: columns.sentAtMs[slot] ?? 0,
      sentInFlightBytes: columns.inFlight[slot] ?? 0,
      lostSinceBytes: rate.lostBytes - (columns.lost[slot] ?? 0),
      isAppLimited: columns.appLimited[slot] === 1,
      isPersistent,
    });
  }

  #skipDistance(): number {
    const [high = 0, low = 0] = this.#random(2);
    return 2 + ((high * 256 + low) % (2 * this.#skipEveryPackets));
  }
}
