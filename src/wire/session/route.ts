import { addressKey, type UdpAddress } from "../address.ts";

/** Where a packet goes out, or came in. */
export type Route =
  /** Through the server's TCP: the channel or a relay leg. Path id 1. */
  | { readonly kind: "server" }
  /** One of our sockets and one address of the other end. Path ids from 3 on, chosen by the sender, rising, never used again. */
  | UdpRoute;

export interface UdpRoute {
  readonly kind: "udp";
  readonly socket: number;
  readonly remote: UdpAddress;
}

export const SERVER_ROUTE: Route = { kind: "server" };

/** One string per route, for maps. */
export function routeKey(route: Route): string {
  return route.kind === "server" ? "server" : `${route.socket} ${addressKey(route.remote)}`;
}
