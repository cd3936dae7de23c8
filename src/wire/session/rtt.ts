/** Milliseconds throughout. */
export interface RttEstimate {
  readonly latestMs: number;
  readonly minMs: number;
  readonly smoothedMs: number;
  readonly variationMs: number;
}

/** The longest the other end holds an ack; PROTOCOL.md §7.6. */
export const MAX_ACK_DELAY_MS = 25;
/** Before the first sample, RFC 9002 §6.2.2. */
const INITIAL_RTT_MS = 333;
/** How exactly a timer of the runtime fires, RFC 9002 §6.1.2. */
const GRANULARITY_MS = 1;

/**
 * Folds one sample into the estimate, RFC 9002 §5.3.
 * @param ackDelayMs how long the peer says it held the ack; ignored where it would take the sample below the minimum
 * @throws RangeError when a duration is negative or not finite
 */
export function updateRtt(previous: RttEstimate | null, sampleMs: number, ackDelayMs: number): RttEstimate {
  if (!isDuration(sampleMs) || !isDuration(ackDelayMs)) throw new RangeError("a duration is negative or not finite");
  if (previous === null)
    return { latestMs: sampleMs, minMs: sampleMs, smoothedMs: sampleMs, variationMs: sampleMs / 2 };
  const minMs = Math.min(previous.minMs, sampleMs);
  const held = Math.min(ackDelayMs, MAX_ACK_DELAY_MS);
  const adjustedMs = sampleMs >= minMs + held ? sampleMs - held : sampleMs;
  return {
    latestMs: sampleMs,
    minMs,
    smoothedMs: (7 * previous.smoothedMs + adjustedMs) / 8,
    variationMs: (3 * previous.variationMs + Math.abs(previous.smoothedMs - adjustedMs)) / 4,
  };
}

/** RFC 9002 §6.2.1, except that the other end's ack delay is what it may be at this RTT. */
export function probeTimeoutMs(rtt: RttEstimate | null): number {
  if (rtt === null) return INITIAL_RTT_MS * 3 + MAX_ACK_DELAY_MS;
  return rtt.smoothedMs + Math.max(4 * rtt.variationMs, GRANULARITY_MS) + ackDelayMs(rtt);
}

/** The time threshold of loss detection, RFC 9002 §6.1.2. */
export function lossDelayMs(rtt: RttEstimate | null): number {
  const base = rtt === null ? INITIAL_RTT_MS : Math.max(rtt.latestMs, rtt.smoothedMs);
  return Math.max((9 / 8) * base, GRANULARITY_MS);
}

/** How long an ack may wait for company. */
export function ackDelayMs(rtt: RttEstimate | null): number {
  return rtt === null ? MAX_ACK_DELAY_MS : Math.min(rtt.smoothedMs / 4, MAX_ACK_DELAY_MS);
}

/** RFC 9002 §7.6.1: three probe timeouts without their backoff. */
export function persistentCongestionMs(rtt: RttEstimate): number {
  return (rtt.smoothedMs + Math.max(4 * rtt.variationMs, GRANULARITY_MS) + MAX_ACK_DELAY_MS) * 3;
}

function isDuration(ms: number): boolean {
  return Number.isFinite(ms) && ms >= 0;
}
