import type { Blocks } from "../../store/accounts.ts";
import { toHex } from "../../wire/bytes.ts";
import type { Clock } from "./clock.ts";

/** Another node may have changed a list. */
const TRUSTED_MS = 60_000;
const MAX_LISTS = 10_000;

const NOBODY: ReadonlySet<string> = new Set();

interface BlockList {
  readonly blocked: ReadonlySet<string>;
  readonly readAt: number;
}

/** Who has blocked whom, kept at hand: every page of the directory and every change of presence asks. */
export class BlockLists {
  readonly #blocks: Blocks;
  readonly #clock: Clock;
  /** By user id in hex, in the order of reading. */
  readonly #lists = new Map<string, BlockList>();
  /** Rises with each change: what was being read meanwhile may be from before it. */
  #changes = 0;

  constructor(blocks: Blocks, clock: Clock) {
    this.#blocks = blocks;
    this.#clock = clock;
  }

  async hasBlocked(userId: Uint8Array, otherId: Uint8Array): Promise<boolean> {
    const list = this.known(userId) ?? (await this.of(userId));
    return list.size > 0 && list.has(toHex(otherId));
  }

  /** Whom this person has blocked, as user ids in hex; null when it has to be read first. */
  known(userId: Uint8Array): ReadonlySet<string> | null {
    const list = this.#lists.get(toHex(userId));
    return list !== undefined && this.#clock.now() - list.readAt < TRUSTED_MS ? list.blocked : null;
  }

  /** The same, read if need be. */
  async of(userId: Uint8Array): Promise<ReadonlySet<string>> {
    return this.known(userId) ?? this.#read(userId);
  }

  async set(userId: Uint8Array, otherId: Uint8Array, blocked: boolean): Promise<void> {
    if (blocked) await this.#blocks.add(userId, otherId);
    else await this.#blocks.remove(userId, otherId);
    this.forget(userId);
  }

  /** Another node has changed this person's list. */
  forget(userId: Uint8Array): void {
    this.#changes++;
    this.#lists.delete(toHex(userId));
  }

  async #read(userId: Uint8Array): Promise<ReadonlySet<string>> {
    const [readAt, changes] = [this.#clock.now(), this.#changes];
    const ids = await this.#blocks.list(userId);
    const blocked = ids.length === 0 ? NOBODY : new Set(ids.map(toHex));
    if (changes !== this.#changes) return blocked;
    const key = toHex(userId);
    this.#lists.delete(key);
    this.#lists.set(key, { blocked, readAt });
    const oldest = this.#lists.keys().next();
    if (this.#lists.size > MAX_LISTS && oldest.done !== true) this.#lists.delete(oldest.value);
    return blocked;
  }
}
