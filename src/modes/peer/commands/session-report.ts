import type { CliEvent, OfSession } from "../../cli/events.ts";
import type { PathInfo, PeerSession } from "../peer-session.ts";

/** What takes the events of a command: the output, or a screen. */
export interface EventSink {
  event(event: CliEvent): void;
}

export function ofSession(session: PeerSession): OfSession {
  return { peer: session.peer, session: session.id };
}

/** Tells of a session from its beginning to its end: `connected`, every path, `closed`. Sessions begin over the server. */
export function reportSession(session: PeerSession, sink: EventSink): void {
  const who = ofSession(session);
  sink.event({ ...who, event: "connected", path: "relay-ws", safety: session.safetyNumber });
  const tell = ({ kind, remote, rttMs, why }: PathInfo): void =>
    sink.event({ ...who, event: "path", kind, remote, rttMs: Math.round(rttMs * 10) / 10, why });
  session.onPath(tell);
  if (session.path.kind !== "relay-ws") tell(session.path);
  void session.ended.then(({ reason }) => sink.event({ ...who, event: "closed", reason }));
}
