import { addressKey } from "../../../wire/address.ts";
import { hiddenReport, type NetworkReport, type Reach } from "../../../wire/traversal/network-report.ts";
import type { NetworkFields, PairReportEvent, ReportEvent } from "../../cli/events.ts";
import { formatHostPort } from "../../cli/join-line.ts";
import { ownReport } from "../own-network.ts";
import type { PeerSession } from "../peer-session.ts";
import { isRelayed } from "../session-path.ts";
import type { Findings } from "./examine.ts";
import type { PairLook } from "./examine-pair.ts";
import { networkVerdict } from "./network-verdict.ts";
import { pairVerdict } from "./pair-verdict.ts";
import { routerAnswers } from "./router-answers.ts";

/** What `doctor` says of all that it found. @param verbose the addresses too, which say where this machine is */
export function reportEvent(findings: Findings, verbose: boolean): ReportEvent {
  const { visit, probe, view, ips, isHidden } = findings;
  const { direct, text } = networkVerdict(findings);
  return {
    event: "report",
    verdict: text,
    allows: direct,
    ...networkFields(isHidden ? hiddenReport : ownReport(view, ips)),
    ...routerAnswers(findings.portMapping),
    udpAsked: probe?.asked ?? 0,
    udpAnswered: probe?.answered ?? 0,
    udpRttMs: rounded(probe?.rttMs ?? null),
    filtering: "unknown",
    hairpin: probe?.hairpin ?? null,
    mtuBytes: findings.linkMtuBytes,
    server: visit === null ? null : formatHostPort(visit.node.host, visit.node.port),
    reached: visit?.isReached ?? false,
    relayRttMs: rounded(visit?.rttMs ?? null),
    relays: visit?.relays ?? null,
    serverClockSeconds: findings.clockOffsetSeconds,
    proxy: findings.proxy,
    ...(verbose && { addresses: [...new Set(view.reflexive.map(addressKey))] }),
  };
}

/** What `doctor PERSON` says of both ends. */
export function pairEvent(session: PeerSession, own: NetworkReport, { theirs, rttMs }: PairLook): PairReportEvent {
  const { path, relayedBecause: reason, peer, id } = session;
  return {
    event: "report",
    peer,
    session: id,
    verdict: pairVerdict({ path, reason, own, theirs }),
    direct: !isRelayed(path),
    path: path.kind,
    remote: path.remote,
    rttMs: rounded(rttMs),
    ...networkFields(own),
    filtering: "unknown",
    hairpin: null,
    theirs: theirs === null || theirs.hidden ? null : networkFields(theirs),
  };
}

/** Of either end. */
export function networkFields({ ipv4, ipv6, mapping, mappers }: NetworkReport): NetworkFields {
  return {
    udp: udpOf(ipv4, ipv6),
    ipv4,
    ipv6,
    mapping: mapping.kind,
    mappingStep: mapping.step,
    portMapping: mappers.length > 0 ? "mapped" : "unknown",
    portMappers: mappers.map((protocol) => ({ protocol, state: "mapped" })),
  };
}

export function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1_000) / 1_000;
}

function udpOf(...reaches: readonly Reach[]): NetworkFields["udp"] {
  if (reaches.some((reach) => reach === "own" || reach === "translated")) return "works";
  return reaches.includes("blocked") ? "blocked" : "unknown";
}
