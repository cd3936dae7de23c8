import type { PeerContext } from "../../cli/context.ts";
import type { Asking, PeerNode } from "../peer-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { type EventSink, reportSession } from "./session-report.ts";

/** Rings somebody as the settings say, shows that it rings, and tells `sink`, or else the output, of the session that comes of it. @throws UserError */
export async function ring(
  node: PeerNode,
  person: string,
  what: Pick<Asking, "purpose" | "offer">,
  { settings, signal, output }: PeerContext,
  sink: EventSink = output,
): Promise<PeerSession> {
  try {
    const onRinging = (): void => output.status(`ringing ${person}; Ctrl-C gives up`);
    const session = await node.ask(person, { ...what, waitMs: settings.waitMs, signal, onRinging });
    output.status("");
    reportSession(session, sink, settings.verbose);
    return session;
  } finally {
    output.status("");
  }
}
