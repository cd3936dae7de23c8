import { compareBytes } from "../../../wire/bytes.ts";
import type { NodeMessage } from "../../../wire/messages/nodes.ts";
import type { Member } from "../members.ts";
import type { Pairing } from "../pairing.ts";
import type { Half, Pairings } from "../pairings.ts";
import type { NodeLink } from "./node-link.ts";
import { recordOf, type RemoteMember } from "./remote-member.ts";
import type { Routes } from "./routes.ts";

type Claim = NodeMessage & { readonly kind: "claim" };

/**
 * Brings the two ends of a session together again whose channels came back at different nodes. Each node asks all others about a session
 * of which it has one end alone. A pairing that was whole stays where it is; of two halves the one of the lower device key does.
 */
export class Claims {
  readonly #link: NodeLink;
  readonly #pairings: Pairings;
  readonly #routes: Routes;

  constructor(link: NodeLink, pairings: Pairings, routes: Routes) {
    this.#link = link;
    this.#pairings = pairings;
    this.#routes = routes;
    pairings.onHalf = (half) => link.broadcast(claimOf(half));
  }

  /** A node came that has not heard what this one lacks. */
  askAgain(): void {
    for (const half of this.#pairings.halves()) if (half.member.nodeId === "") this.#link.broadcast(claimOf(half));
  }

  /** Another node has an end of this session. */
  answer(member: RemoteMember, { session, peerKey, hidden }: Claim): void {
    const pairing = this.#pairings.find(session, member.identity.deviceKey, peerKey);
    if (pairing === null) return this.#doubt(member, session);
    const own = pairing.end(peerKey);
    if (pairing.wasWhole || compareBytes(own.deviceKey, member.identity.deviceKey) < 0)
      this.#adopt(pairing, member, hidden);
    else if (own.member !== null)
      void this.#link.send(
        member.nodeId,
        claimOf({ member: own.member, session, peerKey: member.identity.deviceKey, isHidden: own.isHidden }),
      );
  }

  /** That node has all of it. */
  hosted(nodeId: string, member: Member | null, session: Uint8Array): void {
    if (member === null) return;
    const known = this.#pairings.yield(member, session) ?? this.#routes.find(member, session);
    if (known === null) return;
    const { peerKey, isHidden } = known;
    this.#routes.set(member, { nodeId, session, peerKey, askerId: null, isPaired: true, isHidden, sentBytes: 0 });
  }

  #adopt(pairing: Pairing, member: RemoteMember, isHidden: boolean): void {
    if (this.#pairings.isFull(member)) return;
    void this.#link.send(member.nodeId, { kind: "hosted", to: recordOf(member).connection, session: pairing.session });
    this.#pairings.adopt(pairing, member, isHidden);
  }

  /** The other end lost the node that looks after the session, as this end may have: the next word to that node will tell. */
  #doubt(member: RemoteMember, session: Uint8Array): void {
    const nodeId = this.#routes.nodeOf(session, member.identity.deviceKey);
    if (nodeId !== null && nodeId !== member.nodeId) void this.#link.send(nodeId, { kind: "hello", anew: false });
  }
}

function claimOf({ member, session, peerKey, isHidden }: Half): Claim {
  return { kind: "claim", from: recordOf(member), session, peerKey, hidden: isHidden };
}
