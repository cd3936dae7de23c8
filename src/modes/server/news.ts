import { toHex } from "../../wire/bytes.ts";
import type { Message } from "./members.ts";
import type { Seen } from "./view.ts";

/** What is told to many at the same time: one message for all, and another for whom somebody in it has blocked. */
export class News {
  readonly #changes: ReadonlyMap<string, Seen>;
  readonly #forAll: Message<"presence"> | null;
  /** User ids in hex. */
  readonly #exceptions: ReadonlySet<string>;

  constructor(changes: ReadonlyMap<string, Seen>) {
    this.#changes = changes;
    this.#forAll = messageOf([...changes].map(([name, { online }]) => [name, online]));
    this.#exceptions = new Set(
      [...changes.values()].flatMap(({ online, hiddenFrom }) => (online ? [...hiddenFrom] : [])),
    );
  }

  /** @param own what is told to this one alone. Null: nothing. The same message for most, so that it is written once */
  messageFor(userId: Uint8Array, own: ReadonlyMap<string, boolean> | null): Message<"presence"> | null {
    if (own === null && (this.#exceptions.size === 0 || !this.#exceptions.has(toHex(userId)))) return this.#forAll;
    const reader = toHex(userId);
    const told = [...this.#changes].map(([name, seen]) => [name, seen.online && !seen.hiddenFrom.has(reader)] as const);
    return messageOf(new Map([...told, ...(own ?? [])]));
  }
}

function messageOf(changes: Iterable<readonly [string, boolean]>): Message<"presence"> | null {
  const list = Array.from(changes, ([name, online]) => ({ name, online }));
  return list.length === 0 ? null : { kind: "presence", changes: list };
}
