import type { Mapper, Reach } from "../../wire/traversal/network-report.ts";
import { formatMs } from "./amounts.ts";
import type { NetworkFields, PairReportEvent, PortMapper, ReportEvent } from "./events.ts";

/** What a person reads of `doctor`, and pastes into a report: the sentence first, then one row for each thing. Without `--verbose` it holds no address of this machine. */
export function reportTable(report: ReportEvent): string {
  return table(report.verdict, [
    ["udp", udp(report)],
    ["ipv4", reaches[report.ipv4]],
    ["ipv6", reaches[report.ipv6]],
    ["mapping", mapping(report)],
    ["filtering", "cannot be told with one server address"],
    ["port mapping", portMapping(report)],
    ["hairpin", hairpin(report)],
    ["mtu", report.mtuBytes === null ? NOT_KNOWN : `${report.mtuBytes} bytes on this machine's link`],
    ["relay", relay(report)],
    ["server clock", clock(report)],
    ...(report.proxy === null ? [] : [["proxy", report.proxy] as const]),
    ...(report.addresses ?? []).map((address) => ["seen at", address] as const),
  ]);
}

/** What a person reads of `doctor PERSON`. */
export function pairTable({ peer, theirs, ...report }: PairReportEvent, way: string): string {
  const rtt = report.rttMs === null ? "" : `, ${formatMs(report.rttMs)}`;
  return table(report.verdict, [
    ["path", `${way}, ${report.remote}${rtt}`],
    ["you", network(report)],
    [peer, theirs === null ? "shows nothing of the network" : network(theirs)],
  ]);
}

const NOT_KNOWN = "not known";

type Row = readonly [name: string, text: string];

function table(verdict: string, rows: readonly Row[]): string {
  const left = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [verdict, "", ...rows.map(([name, text]) => name.padEnd(left) + text)].join("\n");
}

const reaches: Readonly<Record<Reach, string>> = {
  unknown: "not seen from outside",
  none: "no",
  blocked: "no answer over UDP",
  translated: "behind a NAT",
  own: "no NAT",
};

function udp({ udp: state, udpAsked, udpAnswered, udpRttMs }: ReportEvent): string {
  if (state !== "works") return state === "blocked" ? "blocked: the server's answers do not come" : NOT_KNOWN;
  const rtt = udpRttMs === null ? "" : `, ${formatMs(udpRttMs)}`;
  return udpAsked === 0 ? "works" : `works, ${udpAnswered} of ${udpAsked} answered${rtt}`;
}

function mapping({ ipv4, mapping: kind, mappingStep }: NetworkFields): string {
  if (ipv4 === "own") return "none: no NAT";
  switch (kind) {
    case "independent":
      return "keeps one port for all destinations";
    case "sequential":
      return `a new port for each destination, counting ${mappingStep < 0 ? "down" : "up"} by ${Math.abs(mappingStep)}`;
    case "block":
      return "a new port for each destination, out of one block";
    case "pool":
      return "a new port for each destination, on several addresses";
    case "random":
      return "a new, random port for each destination";
    case "blocked":
    case "unknown":
    default:
      return NOT_KNOWN;
  }
}

const mapperNames: Readonly<Record<Mapper, string>> = { pcp: "PCP", "nat-pmp": "NAT-PMP", upnp: "UPnP" };

const mapperStates: Readonly<Record<PortMapper["state"], string>> = {
  asking: "did not answer in time",
  ready: "answers",
  mapped: "opened a port",
  silent: "no answer",
  unsupported: "not spoken",
  refused: "refused",
  "not-public": "refused: the router has no public address itself",
  unwanted: "answers, not needed",
};

function portMapping({ portMapping: state, portMappers }: NetworkFields): string {
  if (state === "off") return "not asked";
  if (state === "unknown") return NOT_KNOWN;
  const each = portMappers.map(({ protocol, state: standing }) => `${mapperNames[protocol]} ${mapperStates[standing]}`);
  return each.length === 0 ? "no router to ask" : each.join(", ");
}

function hairpin({ ipv4, ipv6, hairpin: works }: ReportEvent): string {
  if (works === null) return NOT_KNOWN;
  if (ipv4 === "own" || (ipv4 !== "translated" && ipv6 === "own")) return works ? "yes: no NAT" : "no";
  return works ? "yes: the NAT leads back in" : "no: the NAT does not lead back in";
}

function relay({ server, reached, relayRttMs, relays }: ReportEvent): string {
  if (server === null) return "no server known";
  const parts = [
    server,
    ...(reached ? [] : ["out of reach"]),
    ...(relayRttMs === null ? [] : [formatMs(relayRttMs)]),
    ...(relays === false ? ["relays nothing"] : []),
  ];
  return parts.join(", ");
}

function clock({ serverClockSeconds: seconds }: ReportEvent): string {
  if (seconds === null) return NOT_KNOWN;
  if (Math.abs(seconds) <= 1) return "agrees with this machine's";
  return `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} this machine's`;
}

/** In one line. */
function network(fields: NetworkFields): string {
  if (fields.ipv4 === "unknown" && fields.ipv6 === "unknown" && fields.mapping === "unknown") return "not looked at";
  const parts = [
    ...(fields.udp === "blocked" ? ["UDP blocked"] : [ipv4(fields)]),
    ...(fields.ipv6 === "own" || fields.ipv6 === "translated" ? ["IPv6"] : fields.ipv6 === "none" ? ["no IPv6"] : []),
    ...fields.portMappers
      .filter(({ state }) => state === "mapped")
      .map(({ protocol }) => `port by ${mapperNames[protocol]}`),
  ];
  return parts.join("; ");
}

function ipv4(fields: NetworkFields): string {
  if (fields.ipv4 === "none") return "no IPv4";
  if (fields.ipv4 === "own") return "no NAT";
  const how = mapping(fields);
  return how === NOT_KNOWN ? "NAT not known" : `NAT: ${how}`;
}
