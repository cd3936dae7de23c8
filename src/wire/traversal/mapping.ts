import type { UdpAddress } from "../address.ts";

/**
 * How a NAT gives outside ports to one inside socket that speaks with several destinations: RFC 4787 §4.1. `independent`: one for all
 * of them, as also where there is no NAT. The others give each destination a port of its own: `sequential` the next one in a row, `block` one of a few
 * hundred, `pool` on another address too, `random` any. The place in the list is its number on the wire.
 */
export const mappingKinds = ["unknown", "blocked", "independent", "sequential", "block", "pool", "random"] as const;
export type MappingKind = (typeof mappingKinds)[number];

export interface Mapping {
  readonly kind: MappingKind;
  /** From one new port to the next, rarely negative; 0 unless `sequential`. */
  readonly step: number;
}

/** Steps that are longer are no row whose next port could be told. */
export const MAX_STEP = 8;
/** What carriers give one customer at a time is 512 to 1 024 ports. */
const MAX_BLOCK_PORTS = 1_024;
const MIN_SURVEYED = 3;

export const unknownMapping: Mapping = { kind: "unknown", step: 0 };

/**
 * @param primary where the server's ports see one socket of ours, one each
 * @param surveyed where one of the server's ports sees further sockets that asked in this order; null for one that got no answer
 */
export function classifyMapping(primary: readonly UdpAddress[], surveyed: readonly (UdpAddress | null)[]): Mapping {
  if (primary.length < 2) return unknownMapping;
  const seen = surveyed.filter((address) => address !== null);
  const kind = (kind: MappingKind, step = 0): Mapping => ({ kind, step });
  if (isOne(primary.map(({ ip, port }) => `${ip} ${port}`))) return kind("independent");
  if (!isOne([...primary, ...seen].map(({ ip }) => ip))) return kind("pool");
  if (seen.length < MIN_SURVEYED) return kind("random");
  const step = stepOf(seen.map(({ port }) => port));
  if (step !== 0) return kind("sequential", step);
  return kind(spreadOf([...primary, ...seen].map(({ port }) => port)) <= MAX_BLOCK_PORTS ? "block" : "random");
}

/** A socket behind such a NAT cannot be found at the port where the server sees it. */
export function isHard({ kind }: Mapping): boolean {
  return kind === "sequential" || kind === "block" || kind === "pool" || kind === "random";
}

/** Other programs take ports in between, so that the shortest step is the NAT's own. 0 where the ports are in no row. */
function stepOf(ports: readonly number[]): number {
  const steps = ports.slice(1).map((port, index) => port - (ports[index] ?? 0));
  const isRow = steps.every((step) => step !== 0 && Math.sign(step) === Math.sign(steps[0] ?? 0));
  if (!isRow || steps.some((step) => Math.abs(step) > MAX_STEP)) return 0;
  return steps.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
}

function spreadOf(ports: readonly number[]): number {
  return Math.max(...ports) - Math.min(...ports) + 1;
}

function isOne(texts: readonly string[]): boolean {
  return new Set(texts).size <= 1;
}

/** A step may be negative, and no number on the wire is. */
const STEP_OFFSET = 128;

/** The fields of a `mapping` frame, PROTOCOL.md §7.4. */
export function mappingToFields({ kind, step }: Mapping): { readonly mapping: number; readonly step: number } {
  return { mapping: mappingKinds.indexOf(kind), step: step + STEP_OFFSET };
}

/** What makes no sense is as good as unknown: a peer that says it is newer, broken or hostile. */
export function mappingFromFields(fields: { readonly mapping: number; readonly step: number }): Mapping {
  const kind = mappingKinds[fields.mapping] ?? "unknown";
  const step = fields.step - STEP_OFFSET;
  if (kind !== "sequential") return { kind, step: 0 };
  return step === 0 || Math.abs(step) > MAX_STEP ? { kind: "random", step: 0 } : { kind, step };
}
