import { compareBytes, equalBytes, toHex } from "../../wire/bytes.ts";
import type { ErrorCode } from "../../wire/errors.ts";
import { purposes } from "../../wire/messages/signalling.ts";
import type { Clock } from "./clock.ts";
import type { Member, Message } from "./members.ts";
import { Refusal } from "./refusal.ts";
import { crosses, inRanks, isMetBy, type Parties, previewFor, type Ring, type Target } from "./ring.ts";

/** Between one rank and the next. */
const STEP_MS = 500;
/** A ring that nobody answers, cancels or declines. */
const LIFETIME_MS = 600_000;

/**
 * Who rings whom, until the first answer: devices ring by rank, half a second apart; the first accept wins; a declining person ends it
 * everywhere. Two people who ring each other to chat get one session: the ring of the lower device key stands.
 */
export class Rings {
  readonly #clock: Clock;
  readonly #onAccepted: (session: Uint8Array, asker: Member, accepter: Member, isHidden: boolean) => void;
  /** By session id in hex. */
  readonly #rings = new Map<string, Ring>();

  constructor(
    clock: Clock,
    onAccepted: (session: Uint8Array, asker: Member, accepter: Member, isHidden: boolean) => void,
  ) {
    this.#clock = clock;
    this.#onAccepted = onAccepted;
  }

  get size(): number {
    return this.#rings.size;
  }

  /** Rings of one person at one name, those still looked up counted. */
  countOf(askerId: Uint8Array, name: string): number {
    const open = [...this.#rings.values()];
    return open.filter((ring) => ring.name === name && equalBytes(ring.asker.identity.userId, askerId)).length;
  }

  /** From here on it can be cancelled. @throws Refusal `bad-message` for a session id that is in use */
  open(asker: Member, { session, name, purpose, previews }: Message<"ring">): void {
    const key = toHex(session);
    if (this.#rings.has(key)) throw new Refusal("bad-message", "this session id is in use");
    const cancelExpiry = this.#clock.after(LIFETIME_MS, () => this.#expire(key));
    this.#rings.set(key, {
      session,
      asker,
      name,
      purpose,
      previews,
      parties: null,
      asked: new Map(),
      later: [],
      lastCode: "no-answer",
      cancel: () => {},
      cancelExpiry,
    });
  }

  /** Tells the first devices. Nothing happens when the ring was cancelled meanwhile. */
  start(session: Uint8Array, parties: Parties, targets: readonly Target[]): void {
    const ring = this.#rings.get(toHex(session));
    if (ring === undefined) return;
    ring.parties = parties;
    ring.later.push(...inRanks(targets));
    const crossing = this.#crossing(ring);
    if (crossing === null) return this.#ringNext(ring);
    if (compareBytes(ring.asker.identity.deviceKey, crossing.asker.identity.deviceKey) < 0) this.#merge(ring, crossing);
    else this.#merge(crossing, ring);
  }

  refuse(session: Uint8Array, { code, retryMs }: Refusal): void {
    const ring = this.#rings.get(toHex(session));
    if (ring !== undefined) this.#end(ring, code, retryMs);
  }

  /** @throws Refusal `no-such-request` unless this member was asked and nobody was faster */
  accept(member: Member, { session, versions, handshake, hidden }: Message<"accept">): void {
    const ring = this.#askedOf(member, session);
    ring.asked.delete(member.id);
    this.#drop(ring, "answered-elsewhere");
    ring.asker.send({ kind: "accepted", session, device: member.identity.deviceId, versions, handshake });
    this.#onAccepted(session, ring.asker, member, hidden);
  }

  /** @throws Refusal as `accept` does */
  decline(member: Member, session: Uint8Array, code: ErrorCode): void {
    const ring = this.#askedOf(member, session);
    ring.asked.delete(member.id);
    if (code === "declined") return this.#end(ring, code, 0);
    ring.lastCode = code;
    this.#endIfUnheard(ring);
  }

  /** @returns false when there is no such ring of this member */
  cancel(member: Member, session: Uint8Array, code: ErrorCode): boolean {
    const ring = this.#rings.get(toHex(session));
    if (ring === undefined || ring.asker.id !== member.id) return false;
    this.#drop(ring, code);
    return true;
  }

  /** Ends what rings from one person at another. */
  silence(askedId: Uint8Array, askerId: Uint8Array): void {
    for (const ring of this.#rings.values()) {
      const isMeant = ring.parties !== null && equalBytes(ring.parties.askedId, askedId);
      if (isMeant && equalBytes(ring.asker.identity.userId, askerId)) this.#end(ring, "offline", 0);
    }
  }

  left(member: Pick<Member, "id">): void {
    for (const ring of this.#rings.values()) {
      if (ring.asker.id === member.id) this.#drop(ring, "cancelled");
      else this.#unheard(ring, member);
    }
  }

  /** That node is gone, and its channels with it. */
  nodeGone(nodeId: string): void {
    const asked = [...this.#rings.values()].flatMap((ring) => [...ring.asked.values()]);
    for (const member of asked) if (member.nodeId === nodeId) this.left(member);
  }

  /**
   * Somebody at another node rings this member, who may be ringing that very person: the same rule as when both ring here. Where this
   * node's ring stands it asks the other asker too; where it falls it ends here, and the other one goes on.
   * @param tell tells the member of it
   * @returns false when it was not told
   */
  meet(member: Member, incoming: Message<"incoming">, asker: Member, tell: () => void): boolean {
    const ring = [...this.#rings.values()].find(
      (each) => each.asker.id === member.id && isMetBy(each, incoming, asker),
    );
    const stands = ring !== undefined && compareBytes(member.identity.deviceKey, asker.identity.deviceKey) < 0;
    if (!stands) tell();
    if (stands) this.#askAlone(ring, asker);
    else if (ring !== undefined) this.#end(ring, "answered-elsewhere", 0);
    return !stands;
  }

  #askedOf(member: Member, session: Uint8Array): Ring {
    const ring = this.#rings.get(toHex(session));
    if (ring?.asked.has(member.id) === true) return ring;
    throw new Refusal("no-such-request", "nobody rings here with this session id");
  }

  #ringNext(ring: Ring): void {
    const targets = ring.later.shift() ?? [];
    for (const { member, preview } of targets) this.#tell(ring, member, preview);
    if (ring.later.length > 0) ring.cancel = this.#clock.after(STEP_MS, () => this.#ringNext(ring));
    else this.#endIfUnheard(ring);
  }

  #tell(ring: Ring, member: Member, preview: Uint8Array): void {
    if (ring.parties === null) return;
    const { session, asker, purpose, asked } = ring;
    const { name, userId } = asker.identity;
    if (asked.size === 0) asker.send({ kind: "ringing", session });
    asked.set(member.id, member);
    const incoming = {
      kind: "incoming",
      session,
      name,
      userId,
      device: ring.parties.device,
      purpose,
      preview,
    } as const;
    member.ring(incoming, asker, () => this.#unheard(ring, member));
  }

  /** The open chat ring the other way round, each sealed to the other's asking device. */
  #crossing(ring: Ring): Ring | null {
    if (ring.purpose !== purposes.chat) return null;
    return (
      [...this.#rings.values()].find((other) => other !== ring && crosses(ring, other) && crosses(other, ring)) ?? null
    );
  }

  #merge(standing: Ring, falling: Ring): void {
    this.#askAlone(standing, falling.asker);
    this.#end(falling, "answered-elsewhere", 0);
  }

  /** Nobody else may take it any more. */
  #askAlone(ring: Ring, accepter: Member): void {
    const preview = previewFor(ring, accepter);
    ring.cancel();
    ring.later.length = 0;
    for (const other of ring.asked.values())
      if (other.id !== accepter.id) other.send({ kind: "cancel", session: ring.session, code: "answered-elsewhere" });
    const isTold = ring.asked.has(accepter.id);
    ring.asked.clear();
    if (isTold) ring.asked.set(accepter.id, accepter);
    else if (preview !== null) this.#tell(ring, accepter, preview);
  }

  /** One of those asked is not there any more. */
  #unheard(ring: Ring, member: Pick<Member, "id">): void {
    if (!ring.asked.delete(member.id)) return;
    ring.lastCode = "offline";
    this.#endIfUnheard(ring);
  }

  #endIfUnheard(ring: Ring): void {
    if (ring.asked.size === 0 && ring.later.length === 0) this.#end(ring, ring.lastCode, 0);
  }

  #expire(key: string): void {
    const ring = this.#rings.get(key);
    if (ring !== undefined) this.#end(ring, "no-answer", 0);
  }

  #end(ring: Ring, code: ErrorCode, retryMs: number): void {
    this.#drop(ring, code === "declined" ? "answered-elsewhere" : code);
    ring.asker.send({ kind: "refused", session: ring.session, code, retryMs });
  }

  /** @param code what those hear who still ring */
  #drop(ring: Ring, code: ErrorCode): void {
    this.#rings.delete(toHex(ring.session));
    ring.cancel();
    ring.cancelExpiry();
    for (const member of ring.asked.values()) member.send({ kind: "cancel", session: ring.session, code });
  }
}
