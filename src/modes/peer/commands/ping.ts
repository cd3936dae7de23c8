import type { PingCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { formatCount } from "../../cli/amounts.ts";
import { UserError } from "../../cli/errors.ts";
import { usageError } from "../../cli/problem.ts";
import { openNode } from "../open-node.ts";
import { reasonText } from "../path-reasons.ts";
import type { PeerSession } from "../peer-session.ts";
import { isRelayed } from "../session-path.ts";
import { orAborted } from "./message.ts";
import { endWhenSilent } from "./patience.ts";
import { ring } from "./ring.ts";
import { ofSession } from "./session-report.ts";

const PING_INTERVAL_MS = 1_000;
const MAX_PINGS_UNTIL_DIRECT = 30;

/** `p2p ping`: round trips over the session itself, which begins over the server and moves to a direct path when there is one. */
export async function runPing({ person, count, untilDirect }: PingCommand, context: PeerContext): Promise<number> {
  const { settings } = context;
  if (untilDirect && settings.relayOnly)
    throw usageError("ping: --until-direct waits for what --relay-only forbids", "leave one of them out");
  await using node = await openNode(context);
  const session = await ring(node, person, { purpose: "ping" }, context);
  endWhenSilent(session, settings.waitMs);
  const pings = await pingAway(session, untilDirect ? MAX_PINGS_UNTIL_DIRECT : count, untilDirect, context);
  if (untilDirect && isRelayed(session.path)) throw stayedRelayed(session, pings);
  await session.close();
  return 0;
}

/** One a second, or less often where the answers take longer. @returns how many it were, which are fewer where there is nothing to wait for any more */
async function pingAway(
  session: PeerSession,
  pings: number,
  untilDirect: boolean,
  { signal, output }: PeerContext,
): Promise<number> {
  for (let sent = 0; sent < pings; sent++) {
    const pause = Bun.sleep(PING_INTERVAL_MS);
    const rttMs = Math.round((await orAborted(session.ping(), signal)) * 1_000) / 1_000;
    const { kind, remote } = session.path;
    output.event({ ...ofSession(session), event: "pong", rttMs, path: kind, remote });
    if (untilDirect && (!isRelayed(session.path) || session.relayedBecause?.isFinal === true)) return sent + 1;
    if (sent + 1 < pings) await orAborted(pause, signal);
  }
  return pings;
}

function stayedRelayed({ peer, path, relayedBecause }: PeerSession, pings: number): UserError {
  const hint = relayedBecause === null ? path.why : reasonText(relayedBecause);
  return new UserError("no-path", `no direct path to ${peer} in ${formatCount(pings, "ping")}`, { hint });
}
