import { toHex } from "../../wire/bytes.ts";
import type { Page } from "../accounts.ts";
import type { OnlinePerson, PresenceEntry } from "../presence.ts";
import { channelOf } from "./entries.ts";

/** What this node has added: all that it knows while Redis is away, and what Redis has to agree with when it is back. */
export class OwnChannels {
  readonly #entries = new Map<string, PresenceEntry>();
  /** The channels of each person, by user id in hex. */
  readonly #people = new Map<string, Set<string>>();
  /** Channels of which Redis may not know what became of them. */
  readonly unsure = new Set<string>();
  /** Redis may lack any of them: it answers, and took no renewal of the lease. */
  isDoubted = false;

  get(channel: string): PresenceEntry | undefined {
    return this.#entries.get(channel);
  }

  add(entry: PresenceEntry): void {
    const channel = channelOf(entry);
    this.remove(channel);
    this.#entries.set(channel, entry);
    const person = toHex(entry.userId);
    this.#people.set(person, (this.#people.get(person) ?? new Set()).add(channel));
  }

  /** @returns what it was */
  remove(channel: string): PresenceEntry | undefined {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return undefined;
    this.#entries.delete(channel);
    const channels = this.#people.get(toHex(entry.userId));
    channels?.delete(channel);
    if (channels?.size === 0) this.#people.delete(toHex(entry.userId));
    return entry;
  }

  ofNode(nodeId: string): readonly PresenceEntry[] {
    return this.#all().filter((entry) => entry.nodeId === nodeId);
  }

  /** By rank, then oldest first. */
  ofPerson(userId: Uint8Array): readonly PresenceEntry[] {
    const channels = [...(this.#people.get(toHex(userId)) ?? [])];
    return inRingingOrder(channels.flatMap((channel) => this.#entries.get(channel) ?? []));
  }

  /** What Redis knows of a person, with what it could not be told. */
  amendEntries(userId: Uint8Array, entries: readonly PresenceEntry[]): readonly PresenceEntry[] {
    const told = new Set(entries.map(channelOf));
    const sure = entries.filter((entry) => !this.unsure.has(channelOf(entry)));
    const own = this.ofPerson(userId).map((entry) => [entry, channelOf(entry)] as const);
    const isMissing = (channel: string) => this.unsure.has(channel) || (this.isDoubted && !told.has(channel));
    return inRingingOrder([...sure, ...own.flatMap(([entry, channel]) => (isMissing(channel) ? [entry] : []))]);
  }

  /** The same for a page; somebody whom Redis could not be told to forget stays on it. */
  amendPage(page: Page, people: readonly OnlinePerson[]): readonly OnlinePerson[] {
    if (this.unsure.size === 0 && !this.isDoubted) return people;
    return inOrder([...people, ...this.page(page)], page.limit);
  }

  isShown(userId: Uint8Array): boolean {
    return this.ofPerson(userId).some((entry) => !entry.invisible);
  }

  /** Each visible person once, in order of name. */
  page({ after = "", limit }: Page): readonly OnlinePerson[] {
    const shown = this.#all().filter((entry) => !entry.invisible && entry.name > after);
    return inOrder(
      shown.map(({ userId, name }) => ({ userId, name })),
      limit,
    );
  }

  nodes(): readonly string[] {
    return [...new Set(this.#all().map(({ nodeId }) => nodeId))];
  }

  #all(): PresenceEntry[] {
    return [...this.#entries.values()];
  }
}

function inOrder(people: readonly OnlinePerson[], limit: number): readonly OnlinePerson[] {
  const each = new Map(people.map((person) => [toHex(person.userId), person]));
  return [...each.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit);
}

function inRingingOrder(entries: readonly PresenceEntry[]): readonly PresenceEntry[] {
  return entries.toSorted((a, b) => a.rank - b.rank || a.sinceMs - b.sinceMs);
}
