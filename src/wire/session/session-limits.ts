import {
  KEEPALIVE_MS,
  MESSAGE_STREAM_WINDOW_BYTES,
  REJECT_AFTER_MS,
  REJECT_AFTER_PACKETS,
  REKEY_AFTER_MS,
  REKEY_AFTER_PACKETS,
  SESSION_WINDOW_BYTES,
} from "../limits.ts";

/** What a session may use, and when it acts. Injectable, so that a test sees in seconds what takes hours. */
export interface SessionLimits {
  /** New keys are made after this many packets, both directions counted, or this time. */
  readonly rekeyAfterPackets: number;
  readonly rekeyAfterMs: number;
  /** From here on only what makes new keys, challenges and their answers are sealed under the old ones … */
  readonly restrictAfterPackets: number;
  readonly restrictAfterMs: number;
  /** … for so many packets and so long; then the session ends. */
  readonly gracePackets: number;
  readonly graceMs: number;
  /** Nothing authentic from the other end for so long, path or no path: the session ends. */
  readonly idleTimeoutMs: number;
  readonly keepaliveMs: number;
  /** Credit of one control or chat stream. Bytes. */
  readonly messageWindowBytes: number;
  /** Credit of all bulk streams together, and of one. Bytes. */
  readonly sessionWindowBytes: number;
  readonly bulkWindowBytes: number;
  /** Written and not yet acknowledged: all bulk streams together, and one where no path holds more under way. Bytes. */
  readonly bulkBufferBytes: number;
  readonly streamBufferBytes: number;
  /** Windows and buffers of bulk may grow to so many times the above, where a round trip brings as much. */
  readonly windowGrowth: number;
  /** One packet number in about so many is left out. */
  readonly skipEveryPackets: number;
}

/** What the windows of all sessions of one program may grow by together. Bytes. */
export const GROWTH_BYTES = 16 * 1_024 * 1_024;
export const GRACE_PACKETS = 1_000;

export const sessionLimits: SessionLimits = {
  rekeyAfterPackets: REKEY_AFTER_PACKETS,
  rekeyAfterMs: REKEY_AFTER_MS,
  restrictAfterPackets: REJECT_AFTER_PACKETS - GRACE_PACKETS,
  restrictAfterMs: REJECT_AFTER_MS,
  gracePackets: GRACE_PACKETS,
  graceMs: 3_600_000,
  idleTimeoutMs: 3_600_000,
  keepaliveMs: KEEPALIVE_MS,
  messageWindowBytes: MESSAGE_STREAM_WINDOW_BYTES,
  sessionWindowBytes: SESSION_WINDOW_BYTES,
  bulkWindowBytes: 6 * 1_024 * 1_024,
  bulkBufferBytes: 16 * 1_024 * 1_024,
  streamBufferBytes: 4 * 1_024 * 1_024,
  windowGrowth: 2,
  skipEveryPackets: 512,
};
