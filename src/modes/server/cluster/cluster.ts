import { equalBytes, toHex } from "../../../wire/bytes.ts";
import type { NodeMessage } from "../../../wire/messages/nodes.ts";
import { CHANNEL_BUDGET_BYTES } from "../../../wire/limits.ts";
import { signalling, type SignallingMessage } from "../../../wire/messages/signalling.ts";
import type { Hub } from "../hub.ts";
import type { Member, Members, Message } from "../members.ts";
import { overBudget } from "../pairings.ts";
import { Refusal } from "../refusal.ts";
import { answerTo } from "../requests.ts";
import { Claims } from "./claims.ts";
import type { NodeLink } from "./node-link.ts";
import { memberOf, recordOf, type RemoteMember } from "./remote-member.ts";
import { type Route, Routes } from "./routes.ts";

const AWAY_RETRY_MS = 2_000;
const NOT_WHOLE = "the nodes of the server do not reach each other at the moment";

/** What an end of a session says to whoever looks after it. */
type SessionMessage = Message<"forward" | "accept" | "decline" | "hangUp" | "openLeg">;
const sessionKinds: ReadonlySet<string> = new Set(["forward", "accept", "decline", "hangUp", "openLeg"]);

export interface ClusterOptions {
  readonly link: NodeLink;
  readonly members: Members;
  readonly hub: Hub;
  /** What a channel of another node says is handled as if it said it here. Never throws. */
  readonly handle: (member: RemoteMember, message: SignallingMessage) => void;
  /** Devices were revoked at another node. */
  readonly onRevoked: (deviceIds: readonly Uint8Array[]) => void;
  /** Somebody blocked somebody, or no longer does, at another node. */
  readonly onBlocked: (message: NodeMessage & { readonly kind: "blocked" }) => void;
}

/**
 * Lets the nodes of a server be one: a ring lives where its asker's channel is, a pairing where its ring was, and what the other end's
 * channel says is passed on to there. Nothing here waits for an answer: what gets lost is a session that both ends make anew.
 */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #routes = new Routes();
  readonly #claims: Claims;

  constructor(options: ClusterOptions) {
    const { link, hub } = options;
    this.#options = options;
    this.#claims = new Claims(link, hub.pairings, this.#routes);
    link.onMessage = (from, message) => this.#hear(from, message);
    link.onJoined = () => this.#claims.askAgain();
    link.onMended = () => this.#claims.askAgain();
    link.onGone = (nodeId) => this.#gone(nodeId);
  }

  /** Whether another node looks after this session of the member. */
  has(member: Member, session: Uint8Array): boolean {
    return this.#routes.find(member, session) !== null;
  }

  /** @returns false for what this node sees to itself */
  pass(member: Member, message: SignallingMessage): boolean {
    if (!isOfSession(message)) return false;
    const route = this.#routes.find(member, message.session);
    if (route === null) return false;
    if (message.kind === "decline" || message.kind === "hangUp") this.#routes.delete(member, message.session);
    if (message.kind === "accept") this.#accepted(member, route, message.hidden);
    if (message.kind === "forward") this.#spend(member, route, message.body.length);
    void this.#passTo(route.nodeId, member, message);
    return true;
  }

  left(member: Member): void {
    const left = { kind: "left", connection: recordOf(member).connection } as const;
    for (const nodeId of this.#routes.drop(member)) void this.#options.link.send(nodeId, left);
  }

  observedChanged(member: Member): void {
    for (const nodeId of this.#routes.nodesOf(member))
      void this.#options.link.send(nodeId, { kind: "observed", from: recordOf(member) });
  }

  /** The node of the pairing counts as well; what is over must not get as far as that. */
  #spend(member: Member, route: Route, bytes: number): void {
    const sentBytes = route.sentBytes + bytes;
    if (sentBytes > CHANNEL_BUDGET_BYTES) throw overBudget();
    this.#routes.set(member, { ...route, sentBytes });
  }

  #accepted(member: Member, route: Route, isHidden: boolean): void {
    this.#routes.set(member, { ...route, isPaired: true, isHidden });
    if (route.askerId !== null) this.#options.hub.acquaint(member.identity.userId, route.askerId);
  }

  async #passTo(nodeId: string, member: Member, message: SessionMessage): Promise<void> {
    const said = { kind: "said", from: recordOf(member), message: signalling.encode(message) } as const;
    if ((await this.#options.link.send(nodeId, said)) === "heard") return;
    if (message.kind === "accept") this.#lost(member, message.session);
    if (message.kind === "openLeg") member.send(answerTo(message, new Refusal("busy", NOT_WHOLE, AWAY_RETRY_MS)));
  }

  /** Nobody hears that the ring was taken: whoever took it need not wait. */
  #lost(member: Member, session: Uint8Array): void {
    this.#routes.delete(member, session);
    this.#options.hub.pairings.yield(member, session); // claimed anew when nobody heard the accept
    member.send({ kind: "gone", session, code: "no-such-session" });
  }

  #hear(from: string, message: NodeMessage): void {
    const { link, hub } = this.#options;
    switch (message.kind) {
      case "deliver":
        return this.#deliver(from, message);
      case "ringing":
        return this.#ring(from, message);
      case "crossed":
        return hub.crossed(message.session);
      case "said":
        return this.#said(memberOf(link, from, message.from), message.message);
      case "observed":
        return hub.pairings.observedChanged(memberOf(link, from, message.from));
      case "left":
        return hub.left({ id: toHex(message.connection) });
      case "claim":
        return this.#claims.answer(memberOf(link, from, message.from), message);
      case "hosted":
        return this.#claims.hosted(from, this.#options.members.find(toHex(message.to)), message.session);
      case "revoked":
        return this.#options.onRevoked(message.devices);
      case "blocked":
        return this.#options.onBlocked(message);
      case "hello":
      default:
        return undefined; // the link's
    }
  }

  #deliver(from: string, { to, message: encoded }: NodeMessage & { readonly kind: "deliver" }): void {
    const member = this.#find(from, to);
    if (member === null) return;
    const message = signalling.decode(encoded);
    if (isToldOfSession(message) && !this.#follows(from, member, message)) return;
    member.send(message);
  }

  /** What a node says of a session that it does not look after, or of a ring that was never told of, is nothing to the member. */
  #follows(from: string, member: Member, message: ToldOfSession): boolean {
    const route = this.#routes.find(member, message.session);
    if (route?.nodeId !== from) return false;
    const isOver = message.kind === "cancel" || (message.kind === "gone" && message.code !== "offline");
    if (isOver) this.#routes.delete(member, message.session);
    else if (message.kind === "observed") this.#routes.set(member, { ...route, sentBytes: 0 }); // the budget may be a fresh one
    return true;
  }

  #ring(from: string, { to, device: asked, asker: record, message }: NodeMessage & { readonly kind: "ringing" }): void {
    const { link, hub } = this.#options;
    const member = this.#find(from, to, asked);
    const incoming = signalling.decode(message);
    if (member === null || incoming.kind !== "incoming") return;
    const { session, device, userId: askerId } = incoming;
    if (hub.pairings.has(member, session) || this.has(member, session)) return this.#declineFor(from, member, session);
    const tell = () => {
      const route = { nodeId: from, session, peerKey: device.key, askerId };
      this.#routes.set(member, { ...route, isPaired: false, isHidden: false, sentBytes: 0 });
      member.send(incoming);
    };
    if (!hub.meet(member, incoming, memberOf(link, from, record), tell))
      void link.send(from, { kind: "crossed", session });
  }

  /** A session id that the member has already is not another's to ring with. */
  #declineFor(nodeId: string, member: Member, session: Uint8Array): void {
    const message = signalling.encode({ kind: "decline", session, code: "no-answer" });
    void this.#options.link.send(nodeId, { kind: "said", from: recordOf(member), message });
  }

  #said(member: RemoteMember, encoded: Uint8Array): void {
    const message = signalling.decode(encoded);
    if (isOfSession(message)) this.#options.handle(member, message);
  }

  /**
   * The node that asks for a channel which is not here hears so. What stands in Redis is nobody's word: a ring goes to no channel of
   * another device, whatever an entry says.
   */
  #find(from: string, connection: Uint8Array, device?: Uint8Array): Member | null {
    const member = this.#options.members.find(toHex(connection));
    const isMeant = device === undefined || (member !== null && equalBytes(member.identity.deviceId, device));
    if (member !== null && isMeant) return member;
    void this.#options.link.send(from, { kind: "left", connection });
    return null;
  }

  /** What that node looked after is asked for anew; what rang there rings no more. */
  #gone(nodeId: string): void {
    const { hub, members } = this.#options;
    hub.nodeGone(nodeId);
    for (const { memberId, route } of this.#routes.dropNode(nodeId)) {
      const { session, peerKey, isPaired, isHidden } = route;
      const member = members.find(memberId);
      if (member === null) continue;
      if (isPaired) member.send({ kind: "gone", session, code: "offline" });
      else member.send({ kind: "cancel", session, code: "cancelled" });
      if (isPaired) hub.pairings.claim(member, [{ session, peerKey }], isHidden);
    }
  }
}

const toldKinds: ReadonlySet<string> = new Set(["cancel", "gone", "observed", "forward", "limited"]);
type ToldOfSession = Message<"cancel" | "gone" | "observed" | "forward" | "limited">;

function isToldOfSession(message: SignallingMessage): message is ToldOfSession {
  return toldKinds.has(message.kind);
}

function isOfSession(message: SignallingMessage): message is SessionMessage {
  return sessionKinds.has(message.kind);
}
