import { equalBytes, toHex } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import type { Clock } from "./clock.ts";
import type { Member, Message } from "./members.ts";
import { type End, type Leg, Pairing, pairingKey } from "./pairing.ts";
import { Refusal } from "./refusal.ts";
import type { Tally } from "./tally.ts";

/** How long one end is waited for whose channel closed: as long as a session waits for a path. */
const HALF_LIFETIME_MS = 3_600_000;
const MAX_PER_MEMBER = 256;

/** An end of a session whose other end is not here. */
export interface Half {
  readonly member: Member;
  readonly session: Uint8Array;
  readonly peerKey: Uint8Array;
  readonly isHidden: boolean;
}

export function overBudget(): Refusal {
  return new Refusal("limited", "more than 64 KiB of a session inside the channel: open a relay leg");
}

/**
 * Who was brought together: sealed packets go between the two ends, a little inside their channels and the rest over relay legs, and each
 * hears where the other was seen. An end whose channel closed may come back for an hour; both ends away end it. Ends may be channels of
 * other nodes; the legs of both are bound here.
 */
export class Pairings {
  /** A member has named a session of which this node knew nothing: perhaps another one does. */
  onHalf: (half: Half) => void = () => {};
  readonly #tally: Tally;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pairings = new Map<string, Pairing>();
  /** By member id, then by session id in hex. */
  readonly #ends = new Map<string, Map<string, End>>();
  /** By leg id in hex. */
  readonly #legs = new Map<string, Leg>();

  constructor(tally: Tally, clock: Clock, random: Random) {
    this.#tally = tally;
    this.#clock = clock;
    this.#random = random;
  }

  get size(): number {
    return this.#pairings.size;
  }

  has(member: Member, session: Uint8Array): boolean {
    return this.#ends.get(member.id)?.has(toHex(session)) === true;
  }

  /** @param isHidden the asker is not told where the accepter is seen */
  pair(session: Uint8Array, asker: Member, accepter: Member, isHidden: boolean): void {
    const pairing = this.#open(session, asker.identity.deviceKey, accepter.identity.deviceKey);
    this.#join(pairing.ends[0], asker);
    this.#join(pairing.ends[1], accepter);
    pairing.ends[1].isHidden = isHidden;
    pairing.tellObserved();
  }

  /** A member names the sessions it still has. A pairing stands again once the other end has named it too, or if it never left. */
  claim(member: Member, sessions: Message<"answer">["sessions"], isHidden = false): void {
    for (const { session, peerKey } of sessions) {
      const own = member.identity.deviceKey;
      if (this.isFull(member) || equalBytes(own, peerKey)) continue;
      const known = this.#pairings.get(pairingKey(session, own, peerKey));
      const end = (known ?? this.#open(session, own, peerKey)).end(own);
      end.isHidden ||= isHidden;
      if (end.member?.id !== member.id) this.#rejoin(end, member);
      if (known === undefined) this.onHalf({ member, session, peerKey, isHidden: end.isHidden });
    }
  }

  isFull({ id }: Pick<Member, "id">): boolean {
    return (this.#ends.get(id)?.size ?? 0) >= MAX_PER_MEMBER;
  }

  /** What one end of a session has named at another node. @returns what this node has of it; null for nothing */
  find(session: Uint8Array, ownKey: Uint8Array, peerKey: Uint8Array): Pairing | null {
    return this.#pairings.get(pairingKey(session, ownKey, peerKey)) ?? null;
  }

  /** A channel of another node takes its end here. */
  adopt(pairing: Pairing, member: Member, isHidden: boolean): void {
    const end = pairing.end(member.identity.deviceKey);
    end.isHidden ||= isHidden;
    this.#rejoin(end, member);
  }

  /** Another node has all of it: what was here of it goes, and nobody hears of that. @returns the device key at its other end */
  yield(member: Member, session: Uint8Array): Pick<Half, "peerKey" | "isHidden"> | null {
    const end = this.#ends.get(member.id)?.get(toHex(session));
    if (end === undefined) return null;
    this.#close(end.pairing);
    return { peerKey: end.other.deviceKey, isHidden: end.isHidden };
  }

  /** What has one end here and never had the other. */
  halves(): readonly Half[] {
    const halves = [...this.#pairings.values()].filter(({ wasWhole }) => !wasWhole);
    return halves.flatMap(({ session, ends }) =>
      ends.flatMap(({ member, other, isHidden }) =>
        member === null ? [] : [{ member, session, peerKey: other.deviceKey, isHidden }],
      ),
    );
  }

  /** @throws Refusal `no-such-session`, or `limited` once the budget is spent */
  forward(member: Member, { session, body }: Message<"forward">): void {
    const end = this.#endOf(member, session);
    if (!end.sendInside(body)) throw overBudget();
    this.#tally.relayed(end.account, body.length);
  }

  /** Sealed packets from a bound leg: to the other end's leg, or within the budget into its channel; else they are dropped. */
  forwardFromLeg({ end }: Leg, packets: Uint8Array): void {
    const socket = end.other.leg?.socket ?? null;
    if (socket !== null) socket.send(packets);
    else if (!end.sendInside(packets)) return;
    this.#tally.relayed(end.account, packets.length);
  }

  /** The same leg each time, while the pairing lives. @throws Refusal `no-such-session` */
  openLeg(member: Member, session: Uint8Array): Leg {
    const end = this.#endOf(member, session);
    end.leg ??= { id: this.#random(16), key: this.#random(32), end, socket: null, udp: null };
    this.#legs.set(toHex(end.leg.id), end.leg);
    return end.leg;
  }

  findLeg(id: Uint8Array): Leg | null {
    return this.#legs.get(toHex(id)) ?? null;
  }

  /** @throws Refusal `no-such-session` */
  hangUp(member: Member, session: Uint8Array): void {
    const end = this.#endOf(member, session);
    end.other.member?.send({ kind: "gone", session, code: "peer-gone" });
    this.#close(end.pairing);
  }

  /** UDP discovery has seen this member somewhere new. */
  observedChanged(member: Member): void {
    for (const end of this.#endsOf(member)) {
      end.member = member;
      end.other.tellObserved();
    }
  }

  left(member: Pick<Member, "id">): void {
    for (const end of this.#endsOf(member)) this.#leave(end);
    this.#ends.delete(member.id);
  }

  /** That node is gone, and its channels with it. */
  nodeGone(nodeId: string): void {
    const ends = [...this.#ends.values()].flatMap((each) => [...each.values()]);
    for (const { member } of ends) if (member?.nodeId === nodeId) this.left(member);
  }

  #endsOf(member: Pick<Member, "id">): readonly End[] {
    return [...(this.#ends.get(member.id)?.values() ?? [])];
  }

  #endOf(member: Member, session: Uint8Array): End {
    const end = this.#ends.get(member.id)?.get(toHex(session));
    if (end === undefined) throw new Refusal("no-such-session", "this channel has no such session");
    return end;
  }

  #open(session: Uint8Array, oneKey: Uint8Array, otherKey: Uint8Array): Pairing {
    const pairing = new Pairing(session, oneKey, otherKey, this.#clock.now());
    this.#pairings.set(pairing.key, pairing);
    this.#expireLater(pairing);
    return pairing;
  }

  /** Another channel of the same device takes over from the one before; one channel has a session id once. */
  #join(end: End, member: Member): void {
    const session = toHex(end.pairing.session);
    if (end.member !== null) this.#ends.get(end.member.id)?.delete(session);
    end.member = member;
    end.account = member.identity.name;
    const ends = this.#ends.get(member.id) ?? new Map<string, End>();
    const before = ends.get(session);
    if (before !== undefined) this.#leave(before);
    this.#ends.set(member.id, ends.set(session, end));
    if (end.other.member === null) return;
    end.pairing.wasWhole = true;
    end.pairing.cancelExpiry();
  }

  #rejoin(end: End, member: Member): void {
    this.#join(end, member);
    if (end.other.member === null) return;
    end.pairing.renewBudget(this.#clock.now());
    end.pairing.tellObserved();
  }

  #leave(end: End): void {
    const { pairing, other } = end;
    end.member = null;
    if (other.member === null) return this.#close(pairing);
    other.member.send({ kind: "gone", session: pairing.session, code: "offline" });
    this.#expireLater(pairing);
  }

  #expireLater(pairing: Pairing): void {
    pairing.cancelExpiry();
    pairing.cancelExpiry = this.#clock.after(HALF_LIFETIME_MS, () => this.#close(pairing));
  }

  #close(pairing: Pairing): void {
    const session = toHex(pairing.session);
    this.#pairings.delete(pairing.key);
    pairing.cancelExpiry();
    for (const { member, leg } of pairing.ends) {
      if (member !== null) this.#ends.get(member.id)?.delete(session);
      if (leg === null) continue;
      this.#legs.delete(toHex(leg.id));
      leg.socket?.close();
      leg.udp?.close();
    }
  }
}
