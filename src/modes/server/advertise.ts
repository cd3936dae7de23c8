import { createSocket } from "node:dgram";
import { scopeOf } from "../../wire/address.ts";
import type { AdvertisedAddress, ServeCommand } from "../cli/command.ts";
import type { JoinLine, ServerNode } from "../cli/join-line.ts";

/** Addresses for documentation, RFC 5737 and 3849: nothing is ever sent there, but they follow the default route. */
const PROBES = { udp4: "192.0.2.1", udp6: "2001:db8::1" } as const;

/** What stands in a join line before the key. */
export type JoinPlace = Pick<JoinLine, "secure" | "nodes">;

/**
 * Where join lines point: what the operator says, else the one address listened on, else that of the default route.
 * @param port the one listened on
 */
export async function advertisedPlace(
  { advertise, listen, tls }: Pick<ServeCommand, "advertise" | "listen" | "tls">,
  port: number,
): Promise<JoinPlace> {
  const secure = advertise?.secure ?? tls !== null;
  if (advertise === null) return { secure, nodes: [await listeningNode(listen, port)] };
  return { secure, nodes: advertise.nodes.map((node) => nodeAt(node, port)) };
}

/** Where this very node is reached, which shares its name with others. */
export async function ownNode(
  { advertiseNode, listen }: Pick<ServeCommand, "advertiseNode" | "listen">,
  port: number,
): Promise<ServerNode> {
  return advertiseNode === null ? listeningNode(listen, port) : nodeAt(advertiseNode, port);
}

/** @returns whether others can hardly reach it */
export function isPrivateHost(host: string): boolean {
  return ["private", "shared", "link-local"].includes(scopeOf(host));
}

function nodeAt(said: AdvertisedAddress, port: number): ServerNode {
  return { host: said.host, port: said.port ?? port };
}

async function listeningNode(listen: ServeCommand["listen"], port: number): Promise<ServerNode> {
  const host = listen[0]?.host ?? null;
  if (host !== null && scopeOf(host) !== "unspecified") return { host, port };
  return { host: (await routedAddress("udp4")) ?? (await routedAddress("udp6")) ?? "127.0.0.1", port };
}

/** What the system would send from. @returns null without a route */
function routedAddress(type: keyof typeof PROBES): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket(type);
    const finish = (address: string | null) => {
      socket.removeAllListeners();
      socket.on("error", () => {});
      socket.close();
      resolve(address);
    };
    socket.on("error", () => finish(null));
    socket.connect(9, PROBES[type], () => finish(socket.address().address));
  });
}
