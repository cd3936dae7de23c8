import { canonicalIp, scopeOf } from "../../wire/address.ts";
import { parseNode, type ServerNode } from "../cli/join-line.ts";

/**
 * Where a node says that it is reached itself, among those of its server. An address of another scope than the one in use, such as one in
 * this machine or its network, is not gone to: a server must not make its people knock at what it cannot reach itself.
 * @param said HOST:PORT; empty: as the channel came
 */
export function placeOfNode(said: string, inUse: ServerNode): ServerNode {
  const node = said === "" ? null : parsed(said, inUse.port);
  return node === null || !isAllowed(node.host, inUse.host) ? inUse : node;
}

/**
 * Whether this is an address to go to where one of those is in use: itself in public, or no farther off than these.
 * @param used canonical, as `ip`
 */
export function isOfSameScope(ip: string, used: readonly string[]): boolean {
  const scope = scopeOf(ip);
  return scope === "public" || used.some((each) => scopeOf(each) === scope);
}

function parsed(said: string, port: number): ServerNode | null {
  try {
    return parseNode(said, port);
  } catch {
    return null;
  }
}

/** Where names lead is seen when they are resolved. */
function isAllowed(host: string, inUse: string): boolean {
  const ip = addressOf(host);
  const used = addressOf(inUse);
  return ip === null || isOfSameScope(ip, used === null ? [] : [used]);
}

/** @returns null for a name; but that of this machine leads nowhere else, RFC 6761 §6.3 */
function addressOf(host: string): string | null {
  return /(^|\.)localhost\.?$/i.test(host) ? "127.0.0.1" : canonicalIp(host);
}
