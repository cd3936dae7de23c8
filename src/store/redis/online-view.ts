import { toHex } from "../../wire/bytes.ts";
import type { OnlinePerson, PresenceChange } from "../presence.ts";

type Listener = (changes: readonly PresenceChange[]) => void;

/** Changes that come within this are told in one call. Milliseconds. */
const BATCH_MS = 20;

/** Who is shown as online, as this node has heard it, and what its listeners have not been told yet. */
export class OnlineView {
  readonly #names = new Map<string, OnlinePerson>();
  readonly #listeners = new Set<Listener>();
  /** A second change of the same person undoes the first. */
  readonly #unheard = new Map<string, PresenceChange>();
  #timer: Timer | null = null;

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  names(): readonly string[] {
    return [...this.#names.values()].map(({ name }) => name);
  }

  set({ userId, name }: OnlinePerson, online: boolean): void {
    const person = toHex(userId);
    if (this.#names.has(person) === online) return;
    if (online) this.#names.set(person, { userId, name });
    else this.#names.delete(person);
    if (!this.#unheard.delete(person)) this.#unheard.set(person, { userId, name, online });
    this.#timer ??= setTimeout(() => this.#tell(), BATCH_MS);
  }

  /** Brings it in line with the whole truth. */
  replace(people: readonly OnlinePerson[]): void {
    const present = new Set(people.map(({ userId }) => toHex(userId)));
    for (const [key, person] of this.#names) if (!present.has(key)) this.set(person, false);
    for (const person of people) this.set(person, true);
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #tell(): void {
    this.#timer = null;
    const changes = [...this.#unheard.values()];
    this.#unheard.clear();
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}
