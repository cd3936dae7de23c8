import type { NatOptions } from "./nat.ts";

const open: NatOptions = { mapping: "none", filtering: "endpoint-independent" };
const cone: NatOptions = { mapping: "endpoint-independent", filtering: "address-and-port-dependent" };
const coneRemap: NatOptions = { ...cone, ports: "remapped" };
const symmetric: NatOptions = {
  mapping: "address-and-port-dependent",
  filtering: "address-and-port-dependent",
  ports: "random",
};

/** Networks by the names they have in the laboratory, test/natlab/lab/README.md: what a host has in front of it, the nearest first. */
export const natKinds = {
  none: [open],
  publicfw: [{ ...open, filtering: "address-and-port-dependent" }],
  fullcone: [{ ...cone, filtering: "endpoint-independent" }],
  arcone: [{ ...cone, filtering: "address-dependent" }],
  cone: [cone],
  "cone-remap": [coneRemap],
  "cone-open": [{ ...cone, acceptsUnasked: true }],
  symmetric: [symmetric],
  "symmetric-seq": [{ ...symmetric, ports: "sequential" }],
  "symmetric-block": [{ ...symmetric, ports: "block" }],
  "symmetric-pool": [{ ...symmetric, pool: 4 }],
  cgnat: [cone, coneRemap],
  "cgnat-symmetric": [cone, symmetric],
  udpblocked: [{ ...cone, blocksUdp: true }],
  "short-timeout": [{ ...cone, lifetimeMs: { unreplied: 10_000, replied: 10_000 } }],
} as const satisfies Record<string, readonly NatOptions[]>;

export type NatKind = keyof typeof natKinds;
