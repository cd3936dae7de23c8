import { createSocket } from "node:dgram";
import { scopeOf } from "../../wire/address.ts";
import type { AdvertisedAddress, ListenAddress, ServeCommand } from "../cli/command.ts";
import { formatHostPort, type JoinLine, MAX_NODES, type ServerNode } from "../cli/join-line.ts";

/** Addresses for documentation, RFC 5737 and 3849: nothing is ever sent there, but they follow the default route. */
const PROBES = { udp4: "192.0.2.1", udp6: "2001:db8::1" } as const;

/** What stands in a join line before the key. */
export type JoinPlace = Pick<JoinLine, "secure" | "nodes">;

/**
 * Where join lines point: what the operator says, else the addresses listened on, else that of the default route; with every port listened
 * on, in their order, where the operator names none. A network may let only one of them pass.
 * @param ports as opened, one for each of `listen`
 */
export async function advertisedPlace(
  { advertise, listen, tls }: Pick<ServeCommand, "advertise" | "listen" | "tls">,
  ports: readonly number[],
): Promise<JoinPlace> {
  const secure = advertise?.secure ?? tls !== null;
  const doors = outward(listen.map(({ host }, at) => ({ host, port: ports[at] ?? 0 })));
  const said = advertise?.nodes ?? null;
  const nodes =
    said === null
      ? await Promise.all(doors.map(({ host, port }) => listeningNode(host, port)))
      : doors.flatMap(({ port }) => said.map((node) => nodeAt(node, port)));
  return { secure, nodes: distinct(nodes).slice(0, MAX_NODES) };
}

/** Where this very node is reached, which shares its name with others. */
export async function ownNode(
  { advertiseNode, listen }: Pick<ServeCommand, "advertiseNode" | "listen">,
  port: number,
): Promise<ServerNode> {
  return advertiseNode === null ? listeningNode(listen[0]?.host ?? null, port) : nodeAt(advertiseNode, port);
}

/** @returns whether others can hardly reach it */
export function isPrivateHost(host: string): boolean {
  return ["private", "shared", "link-local"].includes(scopeOf(host));
}

function nodeAt(said: AdvertisedAddress, port: number): ServerNode {
  return { host: said.host, port: said.port ?? port };
}

/** What listens on this machine's own address is for others only where nothing else is. */
function outward(doors: readonly ListenAddress[]): readonly ListenAddress[] {
  const open = doors.filter(({ host }) => host === null || scopeOf(host) !== "loopback");
  return open.length > 0 ? open : doors;
}

function distinct(nodes: readonly ServerNode[]): readonly ServerNode[] {
  return [...new Map(nodes.map((node) => [formatHostPort(node.host, node.port), node])).values()];
}

async function listeningNode(host: string | null, port: number): Promise<ServerNode> {
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
