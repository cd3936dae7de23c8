import { canonicalIp, scopeOf } from "../../wire/address.ts";
import { parseNode, type ServerNode } from "../cli/join-line.ts";

/**
 * Where a node says that it is reached itself, among those of its server. An address of another scope than the one in use, such as one in
 * this machine or its network, is not gone to: a server must not make its people knock at what it cannot reach itself.
 * @param said HOST:PORT; empty: as the channel came
 */
export function placeOfNode(said: string, inUse: ServerNode): ServerNode {
  const node = said === "" ? null : parsed(said, inUse.port);
  return node === null || !isOfSameScope(node.host, inUse.host) ? inUse : node;
}

function parsed(said: string, port: number): ServerNode | null {
  try {
    return parseNode(said, port);
  } catch {
    return null;
  }
}

/** Names are told by nobody; they lead where the one who holds them says. */
function isOfSameScope(host: string, inUse: string): boolean {
  const ip = addressOf(host);
  if (ip === null) return true;
  const used = addressOf(inUse);
  return scopeOf(ip) === "public" || (used !== null && scopeOf(ip) === scopeOf(used));
}

/** @returns null for a name; but that of this machine leads nowhere else, RFC 6761 §6.3 */
function addressOf(host: string): string | null {
  return /(^|\.)localhost\.?$/i.test(host) ? "127.0.0.1" : canonicalIp(host);
}
