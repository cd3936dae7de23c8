import type { NetworkReport } from "../../../wire/traversal/network-report.ts";
import type { PeerSession } from "../peer-session.ts";
import { isRelayed } from "../session-path.ts";
import { until } from "./until.ts";

export interface PairLook {
  /** What the other end has told of its network; null for nothing in time. */
  readonly theirs: NetworkReport | null;
  /** Over the path that the session is on in the end. Milliseconds. */
  readonly rttMs: number;
}

/** Everything that can be tried has been by then. Milliseconds. */
const SEARCH_MS = 12_000;
/** For the other end's report, once the path is clear. Milliseconds. */
const REPORT_MS = 2_000;
const LOOK_EVERY_MS = 50;

/**
 * Tells the other end of a ping's session how the network here is, asks for the same, and waits until the path is clear: direct, or known not to be.
 * @param report of this end, as far as is known by then
 * @throws UserError the session's end, when it comes first; the signal's reason
 */
export async function examinePair(
  session: PeerSession,
  report: () => NetworkReport,
  signal: AbortSignal,
): Promise<PairLook> {
  let theirs: NetworkReport | null = null;
  session.onReport((each) => (theirs = each));
  session.report(report(), true);
  let hasEnded = false;
  void session.ended.then(() => (hasEnded = true));
  const isClear = (): boolean => !isRelayed(session.path) || session.relayedBecause !== null;
  await until(() => hasEnded || isClear(), { patienceMs: SEARCH_MS, everyMs: LOOK_EVERY_MS, signal });
  await until(() => hasEnded || theirs !== null, { patienceMs: REPORT_MS, everyMs: LOOK_EVERY_MS, signal });
  // By now more is known than at the beginning.
  session.report(report(), false);
  return { theirs, rttMs: await session.ping() };
}
