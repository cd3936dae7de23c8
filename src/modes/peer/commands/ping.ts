import { formatCount } from "../../cli/amounts.ts";
import type { PingCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { usageError } from "../../cli/problem.ts";
import { openNode } from "../open-node.ts";
import { reasonText } from "../path-reasons.ts";
import type { PathInfo, PeerSession } from "../peer-session.ts";
import { isRelayed } from "../session-path.ts";
import { endWhenSilent } from "./patience.ts";
import { pingAway } from "./ping-away.ts";
import { ring } from "./ring.ts";
import { ofSession } from "./session-report.ts";

/** `p2p ping`: round trips over the session itself, which begins over the server and moves to a direct path when there is one. */
export async function runPing({ person, count, untilDirect }: PingCommand, context: PeerContext): Promise<number> {
  const { settings, output, signal } = context;
  if (untilDirect && settings.relayOnly)
    throw usageError("ping: --until-direct waits for what --relay-only forbids", "leave one of them out");
  await using node = await openNode(context);
  const session = await ring(node, person, { purpose: "ping" }, context);
  endWhenSilent(session, settings.waitMs);
  const onPong = (rttMs: number, { kind, remote }: PathInfo): void =>
    output.event({
      ...ofSession(session),
      event: "pong",
      rttMs: Math.round(rttMs * 1_000) / 1_000,
      path: kind,
      remote,
    });
  const pings = await pingAway(session, { count, untilDirect, signal, onPong });
  if (untilDirect && isRelayed(session.path)) throw stayedRelayed(session, pings);
  await session.close();
  return 0;
}

function stayedRelayed({ peer, path, relayedBecause }: PeerSession, pings: number): UserError {
  const hint = relayedBecause === null ? path.why : reasonText(relayedBecause);
  return new UserError("no-path", `no direct path to ${peer} in ${formatCount(pings, "ping")}`, { hint });
}
