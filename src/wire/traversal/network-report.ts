import { type Mapping, mappingKinds, unknownMapping } from "./mapping.ts";
import type { Placement } from "./verdict.ts";

/**
 * How UDP of one family comes out of a network. `none`: no address of that family; `blocked`: no answer from the server; `translated`:
 * the server sees another address than the machine has; `own`: it sees the machine's own. The place in the list is its number on the wire.
 */
export const reaches = ["unknown", "none", "blocked", "translated", "own"] as const;
export type Reach = (typeof reaches)[number];

/** By what a router was asked for a port, as bits on the wire: 1, 2, 4. */
export const mappers = ["pcp", "nat-pmp", "upnp"] as const;
export type Mapper = (typeof mappers)[number];

/** What one end tells the other of its network when asked: no address. */
export interface NetworkReport {
  /** It tells nothing else. */
  readonly hidden: boolean;
  readonly ipv4: Reach;
  readonly ipv6: Reach;
  /** Of its NAT, over IPv4. */
  readonly mapping: Mapping;
  /** These have opened a port to the internet. */
  readonly mappers: readonly Mapper[];
}

/** The fields of a `report` frame, PROTOCOL.md §7.4. */
export interface ReportFields {
  readonly hidden: boolean;
  readonly ipv4: number;
  readonly ipv6: number;
  readonly mapping: number;
  /** With 128 added. */
  readonly step: number;
  readonly mappers: number;
}

const ZERO_STEP = 128;

export const hiddenReport: NetworkReport = {
  hidden: true,
  ipv4: "unknown",
  ipv6: "unknown",
  mapping: unknownMapping,
  mappers: [],
};

export function reportToFields(report: NetworkReport): ReportFields {
  const { hidden, ipv4, ipv6, mapping } = report;
  return {
    hidden,
    ipv4: reaches.indexOf(ipv4),
    ipv6: reaches.indexOf(ipv6),
    mapping: mappingKinds.indexOf(mapping.kind),
    step: ZERO_STEP + mapping.step,
    mappers: mappers.reduce((bits, name, index) => bits + (report.mappers.includes(name) ? 1 << index : 0), 0),
  };
}

/** Numbers unknown here mean `unknown`: who sends them is newer. */
export function reportFromFields(fields: ReportFields): NetworkReport {
  if (fields.hidden) return hiddenReport;
  const kind = mappingKinds[fields.mapping] ?? "unknown";
  return {
    hidden: false,
    ipv4: reaches[fields.ipv4] ?? "unknown",
    ipv6: reaches[fields.ipv6] ?? "unknown",
    mapping: { kind, step: kind === "sequential" ? fields.step - ZERO_STEP : 0 },
    mappers: mappers.filter((_, index) => (fields.mappers & (1 << index)) !== 0),
  };
}

/** What the report says of the way out over IPv4. */
export function placementIn({ ipv4, mapping }: NetworkReport): Placement {
  if (ipv4 === "own") return "open";
  return ipv4 === "blocked" ? "blocked" : mapping.kind;
}
