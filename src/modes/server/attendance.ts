import type { PresenceEntry, PresenceStore } from "../../store/presence.ts";
import { fromHex } from "../../wire/bytes.ts";
import { purposes } from "../../wire/messages/signalling.ts";
import type { Log } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";
import type { NodeLink } from "./cluster/node-link.ts";
import type { Member, Message } from "./members.ts";

const LEASE_MS = 10_000;
const RENEW_MS = 3_000;
/** Beyond it the other nodes do not believe this one's tokens. Milliseconds. */
const MAX_CLOCK_ERROR_MS = 5_000;
/** What can be answered as far as this server knows; a newer peer may know more. */
const KNOWN = Object.values(purposes).reduce((bits, bit) => bits | bit, 0);

export interface AttendanceOptions {
  readonly presence: PresenceStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly link: NodeLink;
  readonly onTrouble: (error: unknown) => void;
}

/** Keeps the presence store in line with what this node's members say they answer. */
export class Attendance {
  readonly #presence: PresenceStore;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #link: NodeLink;
  readonly #onTrouble: (error: unknown) => void;
  /** What stands in the store, by member id. */
  readonly #entries = new Map<string, PresenceEntry>();
  /** The store's calls of one member follow each other: a close must not overtake the answer before it. */
  readonly #last = new Map<string, Promise<void>>();
  #cancel: () => void = () => {};
  #isClockOff = false;

  constructor({ presence, clock, log, link, onTrouble }: AttendanceOptions) {
    this.#presence = presence;
    this.#clock = clock;
    this.#log = log;
    this.#link = link;
    this.#onTrouble = onTrouble;
  }

  /** Who answers something here, each person once. */
  get people(): number {
    return new Set([...this.#entries.values()].map(({ name }) => name)).size;
  }

  async start(): Promise<void> {
    await this.#renew("first");
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.#presence.removeNode(this.#link.id);
  }

  /** A member that answers nothing is not there. */
  async answer(member: Member, said: Pick<Message<"answer">, "answers" | "people" | "rank">): Promise<void> {
    const answers = said.answers & KNOWN;
    const entry = answers === 0 ? null : this.#entryOf(member, { ...said, answers });
    await this.#inTurn(member, async () => {
      const before = this.#entries.get(member.id);
      if (entry !== null) await this.#presence.add(entry);
      else if (before !== undefined) await this.#presence.remove(before.deviceId, before.connectionId);
      if (entry !== null) this.#entries.set(member.id, entry);
      else this.#entries.delete(member.id);
    });
  }

  /** Never rejects. */
  async left(member: Member): Promise<void> {
    try {
      await this.answer(member, { answers: 0, people: [], rank: 0 });
    } catch (error) {
      this.#onTrouble(error);
    }
    this.#last.delete(member.id);
  }

  async #inTurn(member: Member, work: () => Promise<void>): Promise<void> {
    const turn = (this.#last.get(member.id) ?? Promise.resolve()).then(work, work);
    this.#last.set(member.id, turn);
    await turn;
  }

  #entryOf(
    { id, identity }: Member,
    { answers, people, rank }: Pick<Message<"answer">, "answers" | "people" | "rank">,
  ): PresenceEntry {
    const { deviceId, deviceKey, userId, name } = identity;
    return {
      deviceId,
      deviceKey,
      connectionId: fromHex(id) ?? new Uint8Array(16),
      userId,
      name,
      answers,
      forNames: people.length === 0 ? null : people,
      rank: rank === 0 ? 0 : rank === 1 ? 1 : 2,
      invisible: false,
      nodeId: this.#link.id,
      sinceMs: this.#clock.unixMs(),
    };
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(RENEW_MS, () => {
      void this.#renew("again")
        .catch(this.#onTrouble)
        .finally(() => this.#schedule());
    });
  }

  /** A lease that ran out took the entries with it, and what the other nodes had to do with this one. */
  async #renew(time: "first" | "again"): Promise<void> {
    const nowMs = await this.#sharedTimeMs();
    const held = await this.#presence.renewNode(this.#link.id, nowMs + LEASE_MS);
    if (!held && time === "again") this.#link.forgetOthers();
    if (!held) for (const entry of this.#entries.values()) await this.#presence.add(entry);
    await this.#presence.sweep(nowMs);
  }

  async #sharedTimeMs(): Promise<number> {
    const ownMs = this.#clock.unixMs();
    const nowMs = await this.#presence.timeMs(ownMs);
    const isOff = Math.abs(ownMs - nowMs) > MAX_CLOCK_ERROR_MS;
    if (isOff && !this.#isClockOff) this.#log.warn("clock-off", { aheadSeconds: Math.round((ownMs - nowMs) / 1_000) });
    this.#isClockOff = isOff;
    return nowMs;
  }
}
