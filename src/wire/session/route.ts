import { addressKey, type UdpAddress } from "../address.ts";

/** Where a packet goes out, or came in. */
export type Route =
  /** Through the server's TCP: the channel or a relay leg. Path id 1. */
  | { readonly kind: "server" }
  /** Through the server's UDP, whichever of our sockets and of its ports that is just now. Path id 2. */
  | { readonly kind: "relay" }
  /** One of our sockets and one address of the other end. Path ids from 3 on, chosen by the sender, rising, never used again. */
  | UdpRoute;

export interface UdpRoute {
  readonly kind: "udp";
  readonly socket: number;
  readonly remote: UdpAddress;
  /** Of a check that is to end on its way: how many routers it may pass. Left out for as many as it takes. */
  readonly hopLimit?: number;
}

export const SERVER_ROUTE: Route = { kind: "server" };
export const RELAY_ROUTE: Route = { kind: "relay" };

/** One string per route, for maps. */
export function routeKey(route: Route): string {
  return route.kind === "udp" ? `${route.socket} ${addressKey(route.remote)}` : route.kind;
}

/** The server has no part in it: what may not be relayed goes here alone. */
export function isDirect(route: Route): route is UdpRoute {
  return route.kind === "udp";
}

/** The keys of routes that mostly are the one before: a string made for each datagram would cost as much as reading its frames. */
export class RouteKeys {
  #last: Route = SERVER_ROUTE;
  #key = routeKey(SERVER_ROUTE);

  of(route: Route): string {
    if (!isSameRoute(route, this.#last)) this.#key = routeKey(route);
    this.#last = route;
    return this.#key;
  }
}

function isSameRoute(a: Route, b: Route): boolean {
  if (a.kind !== "udp" || b.kind !== "udp") return a.kind === b.kind;
  return a.socket === b.socket && a.remote.port === b.remote.port && a.remote.ip === b.remote.ip;
}
