import { lookup } from "node:dns/promises";
import { canonicalIp, familyOf } from "../../wire/address.ts";
import type { ServerNode } from "../cli/join-line.ts";
import { isOfSameScope, placeOfNode } from "./node-place.ts";

/** All addresses of a name. Rejects where it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * Where a node is reached by UDP that says so itself, as {@link placeOfNode} has it: one address per family, they all lead to the same
 * server. Names are resolved, and lead to no other scope than addresses may.
 * @throws the system's error for a name without an address
 */
export async function ipsOfNode(
  said: string,
  inUse: ServerNode,
  resolve: Resolve = lookUp,
): Promise<readonly string[]> {
  const { host } = placeOfNode(said, inUse);
  const told = await ipsOf(host, resolve);
  if (canonicalIp(host) !== null || host === inUse.host) return onePerFamily(told);
  const used = await ipsOf(inUse.host, resolve).catch(() => []);
  const allowed = told.filter((ip) => isOfSameScope(ip, used));
  return onePerFamily(allowed.length > 0 ? allowed : used);
}

async function ipsOf(host: string, resolve: Resolve): Promise<readonly string[]> {
  const literal = canonicalIp(host);
  return literal === null ? resolve(host) : [literal];
}

async function lookUp(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.flatMap(({ address }) => canonicalIp(address) ?? []);
}

function onePerFamily(ips: readonly string[]): readonly string[] {
  return ([4, 6] as const).flatMap((family) => ips.find((ip) => familyOf(ip) === family) ?? []);
}
