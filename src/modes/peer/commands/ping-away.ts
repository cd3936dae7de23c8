import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { PathInfo, PeerSession } from "../peer-session.ts";
import { isRelayed } from "../session-path.ts";
import { orAborted } from "./message.ts";

const PING_INTERVAL_MS = 1_000;
/** However many were asked for. */
const MAX_UNTIL_DIRECT = 30;

export interface PingAwayOptions {
  /** How many; without meaning where a direct path is waited for. */
  readonly count: number;
  /** Ends as soon as one came directly, and where none can come. */
  readonly untilDirect: boolean;
  readonly signal: AbortSignal;
  /** The path is the one that data takes when the answer comes. */
  readonly onPong: (rttMs: number, path: PathInfo) => void;
  readonly clock?: Clock;
}

type Pinged = Pick<PeerSession, "ping" | "path" | "relayedBecause">;

/** One a second, or less often where the answers take longer. @returns how many. @throws UserError the session's end; the signal's reason */
export async function pingAway(session: Pinged, options: PingAwayOptions): Promise<number> {
  const { untilDirect, signal, onPong, clock = systemClock } = options;
  const most = untilDirect ? MAX_UNTIL_DIRECT : options.count;
  for (let sent = 1; ; sent++) {
    const pause = new Promise<void>((resolve) => void clock.after(PING_INTERVAL_MS, resolve));
    onPong(await orAborted(session.ping(), signal), session.path);
    if (sent === most || (untilDirect && isDecided(session))) return sent;
    await orAborted(pause, signal);
  }
}

function isDecided({ path, relayedBecause }: Pinged): boolean {
  return !isRelayed(path) || relayedBecause?.isFinal === true;
}
