import type { AccountStore } from "../../store/accounts.ts";
import type { PresenceEntry, PresenceStore } from "../../store/presence.ts";
import type { RateBuckets } from "../../store/rate-buckets.ts";
import { equalBytes, toHex } from "../../wire/bytes.ts";
import { isErrorCode } from "../../wire/errors.ts";
import type { Random } from "../../wire/core.ts";
import type { Limits } from "../cli/limits.ts";
import type { BlockLists } from "./block-lists.ts";
import type { Clock } from "./clock.ts";
import { type Directory, recordOf } from "./directory.ts";
import type { Member, Members, Message } from "./members.ts";
import { RemoteMember } from "./cluster/remote-member.ts";
import type { NodeLink } from "./cluster/node-link.ts";
import { Pairings } from "./pairings.ts";
import { ourTrouble, Refusal, refusalFrom } from "./refusal.ts";
import { RingLimits } from "./ring-limits.ts";
import type { Parties, Target } from "./ring.ts";
import { Rings } from "./rings.ts";
import type { Tally } from "./tally.ts";

export interface HubOptions {
  readonly store: AccountStore;
  readonly presence: PresenceStore;
  readonly buckets: RateBuckets;
  readonly directory: Directory;
  readonly blockLists: BlockLists;
  readonly members: Members;
  /** Where the channels are that other nodes hold. */
  readonly link: NodeLink;
  readonly tally: Tally;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  /** For what is our defect or the store's trouble; the asker is told apart from this. */
  readonly onTrouble: (error: unknown) => void;
}

/** Rings and what comes of them. Everything but the look-up before a ring happens at once, in the order of the messages. */
export class Hub {
  readonly pairings: Pairings;
  readonly #options: HubOptions;
  readonly #rings: Rings;
  readonly #limits: RingLimits;

  constructor(options: HubOptions) {
    const { tally, buckets, limits, clock, random } = options;
    this.#options = options;
    this.#limits = new RingLimits(buckets, limits);
    this.pairings = new Pairings(tally, clock, random);
    this.#rings = new Rings(clock, (session, asker, accepter, isHidden) => {
      this.acquaint(asker.identity.userId, accepter.identity.userId);
      this.pairings.pair(session, asker, accepter, isHidden);
    });
  }

  /** Whatever comes of it, the asker hears `ringing`, `accepted` or `refused`. @throws Refusal `bad-message` for a session id in use */
  async ring(asker: Member, message: Message<"ring">): Promise<void> {
    if (this.pairings.has(asker, message.session)) throw new Refusal("bad-message", "this session id is in use");
    this.#rings.open(asker, message);
    try {
      const { parties, targets } = await this.#lookUp(asker, message);
      this.#rings.start(message.session, parties, targets);
    } catch (error) {
      const refusal = refusalFrom(error);
      if (refusal === null) this.#options.onTrouble(error);
      else this.#options.tally.refused("rings", refusal);
      this.#rings.refuse(message.session, refusal ?? ourTrouble(error));
    }
  }

  /** One has accepted a ring of the other, here or at another node: they are no strangers any more. */
  acquaint(oneId: Uint8Array, otherId: Uint8Array): void {
    this.#limits.acquaint(oneId, otherId);
  }

  /** @throws Refusal `no-such-request` */
  accept(member: Member, message: Message<"accept">): void {
    this.#rings.accept(member, message);
  }

  /** @throws Refusal `no-such-request`, `bad-message` */
  decline(member: Member, { session, code }: Message<"decline">): void {
    if (!isErrorCode(code)) throw new Refusal("bad-message", "decline: the code is not in the list");
    this.#rings.decline(member, session, code);
  }

  /** Of what is no longer ringing, nothing comes. */
  cancel(member: Member, { session }: Message<"cancel">): void {
    this.#rings.cancel(member, session, "cancelled");
  }

  /** One person has just blocked another. */
  silence(askedId: Uint8Array, askerId: Uint8Array): void {
    this.#rings.silence(askedId, askerId);
  }

  /** Another node says that its own ring and this one cross, and that this one falls. */
  crossed(session: Uint8Array): void {
    this.#rings.refuse(session, new Refusal("answered-elsewhere", "the person rings back"));
  }

  /** A ring of another node. @param tell tells the member of it. @returns false when it was not told */
  meet(member: Member, incoming: Message<"incoming">, asker: Member, tell: () => void): boolean {
    return this.#rings.meet(member, incoming, asker, tell);
  }

  left(member: Pick<Member, "id">): void {
    this.#rings.left(member);
    this.pairings.left(member);
  }

  nodeGone(nodeId: string): void {
    this.#rings.nodeGone(nodeId);
    this.pairings.nodeGone(nodeId);
  }

  /** The same questions to the store whether the person blocks, is away or answers, so that the time tells nothing. */
  async #lookUp(asker: Member, message: Message<"ring">): Promise<{ parties: Parties; targets: readonly Target[] }> {
    const { store, presence, directory, blockLists } = this.#options;
    const { userId, deviceId } = asker.identity;
    const person = await directory.account(message.name);
    const entries = await presence.entriesOf(person.userId);
    const isShut = await blockLists.hasBlocked(person.userId, userId);
    const device = await store.devices.find(deviceId);
    await this.#limits.take(userId, person.userId, this.#rings.countOf(userId, message.name));
    if (await blockLists.hasBlocked(userId, person.userId))
      throw new Refusal("blocked", "you have blocked this person");
    const others = entries.filter((entry) => !equalBytes(entry.deviceId, deviceId));
    if (device === null || isShut || others.length === 0) throw new Refusal("offline", "this person is not online");
    const targets = others.flatMap((entry) => this.#targetOf(asker, message, entry));
    if (targets.length === 0) throw new Refusal("no-answer", "this person answers nothing of the kind now");
    return { parties: { device: recordOf(device, true), askedId: person.userId }, targets };
  }

  #targetOf(asker: Member, { purpose, previews }: Message<"ring">, entry: PresenceEntry): readonly Target[] {
    const { name } = asker.identity;
    const preview = previews.find(({ device }) => equalBytes(device, entry.deviceId))?.sealed;
    const member = this.#memberOf(entry);
    const answers = (entry.answers & purpose) !== 0 && (entry.forNames?.includes(name) ?? true);
    if (preview === undefined || member === null || !answers) return [];
    return [{ member, preview, rank: entry.forNames === null ? Math.max(1, entry.rank) : entry.rank }];
  }

  /** @returns null for a channel that is gone, whatever the presence store says */
  #memberOf({ nodeId, connectionId, userId, name, deviceId, deviceKey }: PresenceEntry): Member | null {
    const { members, link } = this.#options;
    if (nodeId === link.id) {
      const member = members.find(toHex(connectionId));
      // Or who can write to Redis would have the rings of others.
      return member !== null && equalBytes(member.identity.deviceId, deviceId) ? member : null;
    }
    if (!link.meet(nodeId)) return null;
    return new RemoteMember(link, nodeId, connectionId, { userId, name, deviceId, deviceKey }, []);
  }
}
