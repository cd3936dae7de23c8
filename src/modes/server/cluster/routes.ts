import { equalBytes, toHex } from "../../../wire/bytes.ts";
import type { Member } from "../members.ts";

/** Where the ring or the pairing of a member's session lives. */
export interface Route {
  readonly nodeId: string;
  readonly session: Uint8Array;
  /** Device key of the other end. */
  readonly peerKey: Uint8Array;
  /** Who rings; null for a session that was claimed. */
  readonly askerId: Uint8Array | null;
  /** A ring that was taken, or a pairing; else a ring that still rings. */
  readonly isPaired: boolean;
  /** The other end is not told where this one is seen. */
  readonly isHidden: boolean;
  /** What this end has sent inside the channel since the other end was last told of. */
  readonly sentBytes: number;
}

/** Sessions of this node's members that other nodes look after. */
export class Routes {
  /** By member id, then by session id in hex. */
  readonly #routes = new Map<string, Map<string, Route>>();

  find({ id }: Pick<Member, "id">, session: Uint8Array): Route | null {
    return this.#routes.get(id)?.get(toHex(session)) ?? null;
  }

  set({ id }: Member, route: Route): void {
    const routes = this.#routes.get(id) ?? new Map<string, Route>();
    this.#routes.set(id, routes.set(toHex(route.session), route));
  }

  delete({ id }: Pick<Member, "id">, session: Uint8Array): void {
    const routes = this.#routes.get(id);
    routes?.delete(toHex(session));
    if (routes?.size === 0) this.#routes.delete(id);
  }

  /** @returns the node that looks after the session of which an end here has this other end; null for none */
  nodeOf(session: Uint8Array, peerKey: Uint8Array): string | null {
    const key = toHex(session);
    for (const routes of this.#routes.values()) {
      const route = routes.get(key);
      if (route?.isPaired === true && equalBytes(route.peerKey, peerKey)) return route.nodeId;
    }
    return null;
  }

  /** All of a member that left. @returns the nodes that had something of it */
  drop(member: Member): ReadonlySet<string> {
    const nodes = this.nodesOf(member);
    this.#routes.delete(member.id);
    return nodes;
  }

  nodesOf({ id }: Member): ReadonlySet<string> {
    return new Set([...(this.#routes.get(id)?.values() ?? [])].map(({ nodeId }) => nodeId));
  }

  /** What a node had that is gone. @returns member ids with their routes, which are no more */
  dropNode(nodeId: string): readonly { readonly memberId: string; readonly route: Route }[] {
    const dropped = [...this.#routes].flatMap(([memberId, routes]) =>
      [...routes.values()].filter((route) => route.nodeId === nodeId).map((route) => ({ memberId, route })),
    );
    for (const { memberId, route } of dropped) this.delete({ id: memberId }, route.session);
    return dropped;
  }
}
