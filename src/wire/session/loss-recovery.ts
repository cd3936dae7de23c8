import { WireError } from "../errors.ts";
import { DeliveryRate } from "./delivery-rate.ts";
import type { AckFrame } from "./frame-reader.ts";
import { lossDelayMs, persistentCongestionMs, probeTimeoutMs, type RttEstimate, updateRtt } from "./rtt.ts";
import { type Fate, type PacketContents, packetState, SentPackets } from "./sent-packets.ts";

/** RFC 9002 §6.1.1. */
const PACKET_THRESHOLD = 3;
/** The backoff of probe timeouts ends here, so that a path that comes back is noticed. Milliseconds. */
const MAX_PROBE_GAP_MS = 3_000;
/** Lost packets are remembered this many probe timeouts, in case they were only late. */
const LATE_ACK_TIMEOUTS = 3;
const REMEMBERED_SKIPS = 16;

/** What one ack, or one look at the clock, brought to light. */
export interface Outcome {
  ackedBytes: number;
  lostBytes: number;
  lostPackets: number;
  /** Something was acknowledged that was not before, be it late. */
  isProgress: boolean;
  rttMs: number | null;
  isPersistent: boolean;
}

/** Loss detection and probe timeouts of one path, RFC 9002 §6 and §7.6. Tells what became of packets; what to do about it is for others. */
export class LossRecovery {
  readonly sent = new SentPackets();
  readonly rate = new DeliveryRate();
  rtt: RttEstimate | null = null;
  /** Probe timeouts in a row. */
  probeTimeouts = 0;
  #largestAcked = -1;
  #lossAt: number | null = null;
  #lastSentAtMs = 0;
  readonly #skipped: number[] = [];

  /** Takes the next number for a packet that asks for an acknowledgement. */
  onSent(now: number, bytes: number, contents: PacketContents): void {
    const number = this.sent.add(now, bytes, contents);
    this.rate.onSent(now, this.sent.columns, number & this.sent.columns.mask, this.sent.packetsInFlight);
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
    if (largest > this.#largestAcked) this.#largestAcked = largest;
    if (outcome.rttMs !== null) this.rtt = updateRtt(this.rtt, outcome.rttMs, ack.delayUs / 1_000);
    if (outcome.isProgress) this.probeTimeouts = 0;
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
    for (let number = Math.max(sent.oldest, this.#largestAcked + 1); number < sent.next; number++)
      if (sent.stateOf(number) === packetState.inFlight) return sent.sentAtMs(number);
    return null;
  }

  get lossAt(): number | null {
    return this.#lossAt;
  }

  /** Null while nothing is in flight or the loss timer is to speak first. */
  get probeAt(): number | null {
    if (this.sent.packetsInFlight === 0 || this.#lossAt !== null) return null;
    return this.#lastSentAtMs + Math.min(probeTimeoutMs(this.rtt) * 2 ** this.probeTimeouts, MAX_PROBE_GAP_MS);
  }

  /** The probe timer fired: what the oldest packet in flight carried goes out again, without being given up. */
  onProbeTimeout(now: number, again: Fate): void {
    this.probeTimeouts++;
    this.#lastSentAtMs = now;
    const { sent } = this;
    for (let number = sent.oldest; number < sent.next; number++) {
      if (sent.stateOf(number) !== packetState.inFlight) continue;
      sent.report(number, again);
      return;
    }
  }

  /** Hands all that is in flight to `fate` and forgets it as lost; late acks still count. */
  abandon(fate: Fate): void {
    for (let number = this.sent.oldest; number < this.sent.next; number++) {
      if (this.sent.stateOf(number) !== packetState.inFlight) continue;
      this.sent.settle(number, packetState.lost);
      this.sent.report(number, fate);
    }
    this.#lossAt = null;
  }

  #refuseLies(ack: AckFrame): void {
    const isLie = (number: number) => {
      for (let index = 0; index < ack.count; index++)
        if (number >= (ack.low[index] ?? 0) && number <= (ack.high[index] ?? 0)) return true;
      return false;
    };
    if ((ack.high[0] ?? 0) >= this.sent.next || this.#skipped.some(isLie))
      throw new WireError("protocol-error", "an ack of a packet that was never sent");
  }

  #ackRange(now: number, ack: AckFrame, index: number, acked: Fate, outcome: Outcome): void {
    const { sent } = this;
    const high = ack.high[index] ?? 0;
    for (let number = Math.max(ack.low[index] ?? 0, sent.oldest); number <= high; number++) {
      const state = sent.stateOf(number);
      if (state !== packetState.inFlight && state !== packetState.lost) continue;
      outcome.isProgress = true;
      const slot = number & sent.columns.mask;
      if (state === packetState.inFlight) {
        outcome.ackedBytes += sent.columns.bytes[slot] ?? 0;
        if (index === 0 && number === high) outcome.rttMs = now - sent.sentAtMs(number);
        this.rate.onAcked(now, sent.columns, slot);
      }
      sent.settle(number, packetState.acked);
      sent.report(number, acked);
    }
  }

  #detect(now: number, fate: Fate, outcome: Outcome): void {
    const { sent } = this;
    const delayMs = lossDelayMs(this.rtt);
    let lostSince = Number.POSITIVE_INFINITY;
    this.#lossAt = null;
    for (let number = sent.oldest; number <= this.#largestAcked; number++) {
      const state = sent.stateOf(number);
      if (state === packetState.acked) lostSince = Number.POSITIVE_INFINITY;
      if (state !== packetState.inFlight) continue;
      const sentAtMs = sent.sentAtMs(number);
      if (sentAtMs + delayMs > now && number > this.#largestAcked - PACKET_THRESHOLD) {
        this.#lossAt ??= sentAtMs + delayMs;
        continue;
      }
      this.#declareLost(number, fate, outcome);
      lostSince = Math.min(lostSince, sentAtMs);
      if (this.rtt !== null && sentAtMs - lostSince > persistentCongestionMs(this.rtt)) outcome.isPersistent = true;
    }
    sent.forget(now - LATE_ACK_TIMEOUTS * probeTimeoutMs(this.rtt));
  }

  #declareLost(number: number, fate: Fate, outcome: Outcome): void {
    outcome.lostPackets++;
    outcome.lostBytes += this.sent.columns.bytes[number & this.sent.columns.mask] ?? 0;
    this.sent.settle(number, packetState.lost);
    this.sent.report(number, fate);
  }
}

function noOutcome(): Outcome {
  return { ackedBytes: 0, lostBytes: 0, lostPackets: 0, isProgress: false, rttMs: null, isPersistent: false };
}
