import type { CliEvent, OfSession } from "../../cli/events.ts";
import type { PathInfo, PeerSession } from "../peer-session.ts";
import { RateMeter, statsFields } from "../session-figures.ts";

/** What takes the events of a command: the output, or a screen. */
export interface EventSink {
  event(event: CliEvent): void;
}

export function ofSession(session: PeerSession): OfSession {
  return { peer: session.peer, session: session.id };
}

const STATS_EVERY_MS = 1_000;

/**
 * Tells of a session from its beginning to its end: `connected`, every path, `closed`. Sessions begin over the server.
 * @param verbose and how it does, once a second and at the end
 */
export function reportSession(session: PeerSession, sink: EventSink, verbose: boolean): void {
  const who = ofSession(session);
  sink.event({ ...who, event: "connected", path: "relay-ws", safety: session.safetyNumber });
  const tell = ({ kind, remote, rttMs, why }: PathInfo): void =>
    sink.event({ ...who, event: "path", kind, remote, rttMs: rttMs === 0 ? null : Math.round(rttMs * 10) / 10, why });
  session.onPath(tell);
  if (session.path.kind !== "relay-ws" || session.relayedBecause !== null) tell(session.path);
  if (verbose) reportFigures(session, sink);
  void session.ended.then(({ reason }) => {
    const { path, relayedBecause: because } = session;
    const why = because === null ? {} : { why: because.cause };
    sink.event({ ...who, event: "closed", reason, path: path.kind, ...why });
  });
}

function reportFigures(session: PeerSession, sink: EventSink): void {
  const newMeter = (): RateMeter => new RateMeter(performance.now(), session.figures);
  const [sinceBefore, sinceStart] = [newMeter(), newMeter()];
  const tell = (meter: RateMeter, final: boolean): void => {
    const { figures, path } = session;
    const rates = meter.take(performance.now(), figures);
    sink.event({ ...ofSession(session), event: "stats", final, path: path.kind, ...statsFields(figures, rates) });
  };
  const timer = setInterval(() => tell(sinceBefore, false), STATS_EVERY_MS);
  void session.ended.then(() => {
    clearInterval(timer);
    tell(sinceStart, true);
  });
}
