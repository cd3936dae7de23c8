import { toHex } from "../../wire/bytes.ts";
import type { Page } from "../accounts.ts";
import { requireBytes, requireEntry, requirePageSize, requireText, requireTime } from "../checks.ts";
import { ID_BYTES, MAX_NAME_LENGTH } from "../limits.ts";
import type { OnlinePerson, PresenceChange, PresenceEntry, PresenceStore } from "../presence.ts";
import { NameIndex } from "./name-index.ts";

type Listener = (changes: readonly PresenceChange[]) => void;

/** Presence of a single node, or of several stores in one test. Ids are map keys in hex. */
export class MemoryPresenceStore implements PresenceStore {
  readonly #people = new Map<string, Map<string, PresenceEntry>>();
  readonly #owners = new Map<string, string>();
  readonly #shown = new NameIndex();
  readonly #leases = new Map<string, number>();
  readonly #listeners = new Set<Listener>();
  /** What listeners have not heard yet; a second change of the same person undoes the first. */
  readonly #unheard = new Map<string, PresenceChange>();

  async add(entry: PresenceEntry): Promise<void> {
    requireEntry(entry);
    const person = toHex(entry.userId);
    const channel = channelKey(entry.deviceId, entry.connectionId);
    this.#drop(channel);
    const channels = this.#people.get(person) ?? new Map<string, PresenceEntry>();
    channels.set(channel, entry);
    this.#people.set(person, channels);
    this.#owners.set(channel, person);
    this.#show(entry);
  }

  async remove(deviceId: Uint8Array, connectionId: Uint8Array): Promise<boolean> {
    requireBytes("device id", deviceId, ID_BYTES);
    requireBytes("connection id", connectionId, ID_BYTES);
    return this.#drop(channelKey(deviceId, connectionId));
  }

  async entriesOf(userId: Uint8Array): Promise<readonly PresenceEntry[]> {
    requireBytes("user id", userId, ID_BYTES);
    const channels = this.#people.get(toHex(userId))?.values() ?? [];
    return [...channels].sort((a, b) => a.rank - b.rank || a.sinceMs - b.sinceMs);
  }

  async isOnline(userId: Uint8Array): Promise<boolean> {
    requireBytes("user id", userId, ID_BYTES);
    return this.#people.has(toHex(userId));
  }

  async online({ after = "", limit }: Page): Promise<readonly OnlinePerson[]> {
    requireText("name", after, MAX_NAME_LENGTH);
    return this.#shown.page(after, requirePageSize(limit));
  }

  async renewNode(nodeId: string, leaseEndsAtMs: number): Promise<boolean> {
    const held = this.#leases.has(nodeId);
    this.#leases.set(nodeId, requireTime("end of the lease", leaseEndsAtMs));
    return held;
  }

  async removeNode(nodeId: string): Promise<void> {
    this.#leases.delete(nodeId);
    this.#dropWhere((entry) => entry.nodeId === nodeId);
  }

  async sweep(nowMs: number): Promise<void> {
    requireTime("now", nowMs);
    for (const [nodeId, endsAtMs] of this.#leases) if (endsAtMs <= nowMs) this.#leases.delete(nodeId);
    this.#dropWhere((entry) => !this.#leases.has(entry.nodeId));
  }

  async nodes(): Promise<readonly string[]> {
    return [...this.#leases.keys()];
  }

  async timeMs(ownMs: number): Promise<number> {
    return requireTime("own time", ownMs);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }

  #dropWhere(isGone: (entry: PresenceEntry) => boolean): void {
    for (const channels of this.#people.values()) {
      for (const [channel, entry] of channels) if (isGone(entry)) this.#drop(channel);
    }
  }

  #drop(channel: string): boolean {
    const person = this.#owners.get(channel) ?? "";
    const channels = this.#people.get(person);
    const entry = channels?.get(channel);
    if (channels === undefined || entry === undefined) return false;
    this.#owners.delete(channel);
    channels.delete(channel);
    if (channels.size === 0) this.#people.delete(person);
    this.#show(entry);
    return true;
  }

  /** Brings the list of names, and what listeners will hear, in line with the person's channels. */
  #show({ userId, name }: PresenceEntry): void {
    const person = toHex(userId);
    const online = [...(this.#people.get(person)?.values() ?? [])].some((entry) => !entry.invisible);
    const changed = online ? this.#shown.add({ userId, name }) : this.#shown.remove(name);
    if (!changed) return;
    if (this.#unheard.size === 0) queueMicrotask(() => this.#tell());
    if (!this.#unheard.delete(person)) this.#unheard.set(person, { userId, name, online });
  }

  #tell(): void {
    const changes = [...this.#unheard.values()];
    this.#unheard.clear();
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}

function channelKey(deviceId: Uint8Array, connectionId: Uint8Array): string {
  return toHex(deviceId) + toHex(connectionId);
}
