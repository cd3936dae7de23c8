import { WireError } from "../errors.ts";
import { BlackHole } from "./black-hole.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import type { AckFrame } from "./frame-reader.ts";
import { lossDelayMs, persistentCongestionMs, probeTimeoutMs, type RttEstimate, updateRtt } from "./rtt.ts";
import { type Fate, type PacketContents, packetState, SentPackets } from "./sent-packets.ts";

/** RFC 9002 §6.1.1. */
const PACKET_THRESHOLD = 3;
/** A path that was seen to reorder goes by time alone for so long, as RFC 8985 §6.2. Milliseconds. */
const REORDERS_FOR_MS = 30_000;
/** The backoff of probe timeouts ends here, so that a path that comes back is noticed. Milliseconds. */
const MAX_PROBE_GAP_MS = 3_000;
/** So many of the last lost packets are remembered, for so many probe timeouts, in case they were only late. */
const REMEMBERED_LOST = 256;
const LATE_ACK_TIMEOUTS = 3;
const REMEMBERED_SKIPS = 16;
const TIMEOUTS_AFTER_SIGN = 2;

/** What one ack, or one look at the clock, brought to light. */
export interface Outcome {
  ackedBytes: number;
  lostBytes: number;
  lostPackets: number;
  /** Something was acknowledged that was not before, be it late. */
  isProgress: boolean;
  /** Acknowledged after it had been given up. */
  lateBytes: number;
  /** The newest of what was lost; null for none. */
  newestLost: number | null;
  rttMs: number | null;
  isPersistent: boolean;
}

/** Loss detection and probe timeouts of one path, RFC 9002 §6 and §7.6. Tells what became of packets; what to do about it is for others. */
export class LossRecovery {
  readonly sent = new SentPackets();
  readonly rate = new DeliveryRate();
  blackHole = new BlackHole();
  rtt: RttEstimate | null = null;
  /** Probe timeouts in a row. */
  probeTimeouts = 0;
  /** Given up … */
  lostPackets = 0;
  /** … and acknowledged after all. */
  spuriousPackets = 0;
  /** Told of each packet that is given up; for a trace. */
  onGivenUp: ((number: number, bytes: number) => void) | null = null;
  #largestAcked = -1;
  #lossAt: number | null = null;
  #lastSentAtMs = 0;
  /** The last progress, or since then the first packet sent with nothing in flight, or the last probe timeout. */
  #silentSinceMs = 0;
  #reorderedAtMs = Number.NEGATIVE_INFINITY;
  readonly #skipped: number[] = [];
  /** Ascending. */
  readonly #lost: number[] = [];

  /** Takes the next number for a packet that asks for an acknowledgement. */
  onSent(now: number, bytes: number, contents: PacketContents): void {
    if (this.sent.packetsInFlight === 0) this.#silentSinceMs = now;
    const number = this.sent.add(now, bytes, contents);
    this.rate.onSent(now, this.sent, number & this.sent.columns.mask);
    this.#lastSentAtMs = now;
  }

  /** Leaves a number out, to catch whoever acknowledges what he has not seen, RFC 9000 §21.4. */
  skip(): void {
    this.#skipped.push(this.sent.pass(packetState.skipped));
    if (this.#skipped.length > REMEMBERED_SKIPS) this.#skipped.shift();
  }

  /** @throws WireError `protocol-error` for a number that was never sent */
  onAck(now: number, ack: AckFrame, acked: Fate, lost: Fate): Outcome {
    this.#refuseLies(ack);
    const outcome = noOutcome();
    const largest = ack.high[0] ?? 0;
    this.rate.startSample();
    for (let index = ack.count - 1; index >= 0; index--) this.#ackRange(now, ack, index, acked, outcome);
    this.#ackLate(now, ack, acked, outcome);
    if (largest > this.#largestAcked) this.#largestAcked = largest;
    if (outcome.rttMs !== null) this.rtt = updateRtt(this.rtt, outcome.rttMs, ack.delayUs / 1_000);
    if (outcome.isProgress) this.#onProgress(now);
    this.#detect(now, lost, outcome);
    return outcome;
  }

  /** Of the loss timer. */
  detectLost(now: number, lost: Fate): Outcome {
    const outcome = noOutcome();
    this.#detect(now, lost, outcome);
    return outcome;
  }

  /** The oldest packet that nothing newer has overtaken: since when this path has been silent. Null when nothing is expected. */
  get waitingSinceMs(): number | null {
    const { sent } = this;
    if (sent.packetsInFlight === 0) return null;
    for (let number = Math.max(sent.oldestInFlight, this.#largestAcked + 1); number < sent.next; number++)
      if (sent.stateOf(number) === packetState.inFlight) return sent.sentAtMs(number);
    return null;
  }

  get lossAt(): number | null {
    return this.#lossAt;
  }

  /**
   * Null while nothing is in flight or the loss timer is to speak first. Unlike RFC 9002 §6.2.1, what is sent meanwhile does not put it
   * off beyond what silence allows: small packets in steady flow would keep a dead path until the window is full.
   */
  get probeAt(): number | null {
    if (this.sent.packetsInFlight === 0 || this.#lossAt !== null) return null;
    const since = Math.min(this.#lastSentAtMs, this.#silentSinceMs);
    return since + Math.min(probeTimeoutMs(this.rtt) * 2 ** this.probeTimeouts, MAX_PROBE_GAP_MS);
  }

  /** The other end was heard on this route: after long silence it is worth trying at once, and often again. */
  onSignOfLife(): void {
    this.probeTimeouts = Math.min(this.probeTimeouts, TIMEOUTS_AFTER_SIGN);
  }

  /** The probe timer fired: what the oldest packet in flight carried goes out again, without being given up. */
  onProbeTimeout(now: number, again: Fate): void {
    this.probeTimeouts++;
    this.#lastSentAtMs = this.#silentSinceMs = now;
    const { sent } = this;
    for (let number = sent.oldestInFlight; number < sent.next; number++) {
      if (sent.stateOf(number) !== packetState.inFlight) continue;
      sent.report(number, again);
      return;
    }
  }

  /** Hands all that is in flight to `fate` and forgets it as lost; late acks still count. */
  abandon(fate: Fate): void {
    const { sent } = this;
    for (let number = sent.oldestInFlight; number < sent.next; number++) {
      if (sent.stateOf(number) !== packetState.inFlight) continue;
      this.#giveUp(number, fate);
    }
    this.#lossAt = null;
    this.#forget(Number.NEGATIVE_INFINITY);
  }

  #onProgress(now: number): void {
    this.probeTimeouts = 0;
    this.#silentSinceMs = now;
  }

  #refuseLies(ack: AckFrame): void {
    const lowest = ack.low[ack.count - 1] ?? 0;
    const isLie = this.#skipped.some((number) => number >= lowest && isAcked(ack, number));
    if (isLie || (ack.high[0] ?? 0) >= this.sent.next)
      throw new WireError("protocol-error", "an ack of a packet that was never sent");
  }

  #ackRange(now: number, ack: AckFrame, index: number, acked: Fate, outcome: Outcome): void {
    const { sent } = this;
    const high = ack.high[index] ?? 0;
    for (let number = Math.max(ack.low[index] ?? 0, sent.oldestInFlight); number <= high; number++) {
      if (sent.stateOf(number) !== packetState.inFlight) continue;
      const slot = number & sent.columns.mask;
      const bytes = sent.columns.bytes[slot] ?? 0;
      outcome.ackedBytes += bytes;
      this.blackHole.onAcked(number, bytes);
      if (index === 0 && number === high) outcome.rttMs = now - sent.sentAtMs(number);
      this.rate.onAcked(now, sent.columns, slot);
      this.#settleAcked(number, acked, outcome);
    }
  }

  /** Of packets given up before: what they carried need not go out again. */
  #ackLate(now: number, ack: AckFrame, acked: Fate, outcome: Outcome): void {
    const lowest = ack.low[ack.count - 1] ?? 0;
    for (let index = this.#lost.length - 1; index >= 0; index--) {
      const number = this.#lost[index] ?? 0;
      if (number < lowest) return;
      if (!isAcked(ack, number)) continue;
      this.#lost.splice(index, 1);
      // Its place may have gone to another packet by now, which must not be taken for acknowledged.
      if (this.sent.stateOf(number) !== packetState.lost) continue;
      this.#reorderedAtMs = now;
      this.spuriousPackets++;
      outcome.lateBytes += this.#bytesOf(number);
      this.blackHole.onAcked(number, this.#bytesOf(number));
      this.#settleAcked(number, acked, outcome);
    }
  }

  #settleAcked(number: number, acked: Fate, outcome: Outcome): void {
    outcome.isProgress = true;
    this.sent.settle(number, packetState.acked);
    this.sent.report(number, acked);
  }

  #detect(now: number, fate: Fate, outcome: Outcome): void {
    const { sent } = this;
    const delayMs = lossDelayMs(this.rtt);
    const threshold = now < this.#reorderedAtMs + REORDERS_FOR_MS ? Number.POSITIVE_INFINITY : PACKET_THRESHOLD;
    let lostSince = Number.POSITIVE_INFINITY;
    this.#lossAt = null;
    for (let number = sent.oldestInFlight; number <= this.#largestAcked; number++) {
      const state = sent.stateOf(number);
      if (state === packetState.acked) lostSince = Number.POSITIVE_INFINITY;
      if (state !== packetState.inFlight) continue;
      const sentAtMs = sent.sentAtMs(number);
      if (sentAtMs + delayMs > now && number > this.#largestAcked - threshold) {
        this.#lossAt ??= sentAtMs + delayMs;
        continue;
      }
      this.#declareLost(number, fate, outcome);
      lostSince = Math.min(lostSince, sentAtMs);
      if (this.rtt !== null && sentAtMs - lostSince > persistentCongestionMs(this.rtt)) outcome.isPersistent = true;
    }
    this.#forget(now - LATE_ACK_TIMEOUTS * probeTimeoutMs(this.rtt));
  }

  #declareLost(number: number, fate: Fate, outcome: Outcome): void {
    const bytes = this.#bytesOf(number);
    outcome.lostPackets++;
    outcome.lostBytes += bytes;
    outcome.newestLost = number;
    this.rate.lostBytes += bytes;
    this.#giveUp(number, fate);
  }

  #giveUp(number: number, fate: Fate): void {
    const bytes = this.#bytesOf(number);
    this.lostPackets++;
    this.onGivenUp?.(number, bytes);
    this.blackHole.onLost(number, bytes);
    this.sent.settle(number, packetState.lost);
    this.sent.report(number, fate);
    this.#lost.push(number);
  }

  #bytesOf(number: number): number {
    return this.sent.columns.bytes[number & this.sent.columns.mask] ?? 0;
  }

  #forget(before: number): void {
    const { sent } = this;
    const first = () => this.#lost[0] ?? sent.next;
    while (this.#lost.length > REMEMBERED_LOST || (this.#lost.length > 0 && sent.sentAtMs(first()) < before))
      this.#lost.shift();
    sent.forget(first());
  }
}

/** Ranges are few, and the newest come first. */
export function isAcked(ack: AckFrame, number: number): boolean {
  for (let index = 0; index < ack.count && number <= (ack.high[index] ?? 0); index++)
    if (number >= (ack.low[index] ?? 0)) return true;
  return false;
}

function noOutcome(): Outcome {
  return {
    ackedBytes: 0,
    lostBytes: 0,
    lostPackets: 0,
    isProgress: false,
    lateBytes: 0,
    newestLost: null,
    rttMs: null,
    isPersistent: false,
  };
}
