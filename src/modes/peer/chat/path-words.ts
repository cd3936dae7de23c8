import { formatBytes, formatMs, formatShare } from "../../cli/amounts.ts";
import { way } from "../../cli/render.ts";
import type { PeerSession } from "../peer-session.ts";
import type { SessionRates } from "../session-figures.ts";

type Described = Pick<PeerSession, "peer" | "path" | "figures">;

/** `/path`: which way, why this one, and how it does, in one paragraph. */
export function pathWords({ peer, path, figures }: Described, rates: SessionRates): string {
  const { rttMs, minRttMs, lostPackets, spuriousPackets, sentPackets, mtuBytes } = figures;
  const least = minRttMs === null ? "" : `, at least ${formatMs(minRttMs)}`;
  const parts = [
    `path to ${peer}: ${way(path.kind)}, ${path.remote}`,
    `why: ${path.why}`,
    `round trip ${formatMs(rttMs ?? path.rttMs)}${least}`,
    `loss ${formatShare(lostPackets - spuriousPackets, sentPackets)}`,
    `now ${formatBytes(rates.sendBytesPerSecond)}/s out and ${formatBytes(rates.receiveBytesPerSecond)}/s in`,
    ...(mtuBytes === null ? [] : [`packets up to ${mtuBytes} bytes`]),
  ];
  return parts.join("; ");
}
