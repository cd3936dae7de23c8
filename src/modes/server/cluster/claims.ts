import { compareBytes } from "../../../wire/bytes.ts";
import type { NodeMessage } from "../../../wire/messages/nodes.ts";
import type { Member } from "../members.ts";
import type { Pairing } from "../pairing.ts";
import type { Pairings } from "../pairings.ts";
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
    pairings.onHalf = (member, session, peerKey) => link.broadcast(claimOf(member, session, peerKey));
  }

  /** A node came that has not heard what this one lacks. */
  askAgain(): void {
    for (const { member, session, peerKey } of this.#pairings.halves())
      if (member.nodeId === "") this.#link.broadcast(claimOf(member, session, peerKey));
  }

  /** Another node has an end of this session. */
  answer(member: RemoteMember, { session, peerKey }: Claim): void {
    const pairing = this.#pairings.find(session, member.identity.deviceKey, peerKey);
    if (pairing === null) return this.#doubt(member, session);
    const own = pairing.end(peerKey);
    if (pairing.wasWhole || compareBytes(own.deviceKey, member.identity.deviceKey) < 0) this.#adopt(pairing, member);
    else if (own.member !== null)
      void this.#link.send(member.nodeId, claimOf(own.member, session, member.identity.deviceKey));
  }

  /** That node has all of it. */
  hosted(nodeId: string, member: Member | null, session: Uint8Array): void {
    if (member === null) return;
    const peerKey = this.#pairings.yield(member, session) ?? this.#routes.find(member, session)?.peerKey;
    if (peerKey !== undefined) this.#routes.set(member, { nodeId, session, peerKey, askerId: null, isPaired: true });
  }

  #adopt(pairing: Pairing, member: RemoteMember): void {
    void this.#link.send(member.nodeId, { kind: "hosted", to: recordOf(member).connection, session: pairing.session });
    this.#pairings.adopt(pairing, member);
  }

  /** The other end lost the node that looks after the session, as this end may have: the next word to that node will tell. */
  #doubt(member: RemoteMember, session: Uint8Array): void {
    const nodeId = this.#routes.nodeOf(session, member.identity.deviceKey);
    if (nodeId !== null && nodeId !== member.nodeId) void this.#link.send(nodeId, { kind: "hello", anew: false });
  }
}

function claimOf(member: Member, session: Uint8Array, peerKey: Uint8Array): Claim {
  return { kind: "claim", from: recordOf(member), session, peerKey };
}
