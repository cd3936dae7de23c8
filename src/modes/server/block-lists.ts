import type { Blocks } from "../../store/accounts.ts";
import { toHex } from "../../wire/bytes.ts";
import type { Clock } from "./clock.ts";

/** Another node may have changed a list. */
const TRUSTED_MS = 60_000;
const MAX_LISTS = 10_000;

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

  constructor(blocks: Blocks, clock: Clock) {
    this.#blocks = blocks;
    this.#clock = clock;
  }

  async hasBlocked(userId: Uint8Array, otherId: Uint8Array): Promise<boolean> {
    const list = this.#fresh(userId) ?? (await this.#read(userId));
    return list.blocked.has(toHex(otherId));
  }

  async set(userId: Uint8Array, otherId: Uint8Array, blocked: boolean): Promise<void> {
    if (blocked) await this.#blocks.add(userId, otherId);
    else await this.#blocks.remove(userId, otherId);
    this.#lists.delete(toHex(userId));
  }

  /** Another node has changed this person's list. */
  forget(userId: Uint8Array): void {
    this.#lists.delete(toHex(userId));
  }

  #fresh(userId: Uint8Array): BlockList | null {
    const list = this.#lists.get(toHex(userId));
    return list !== undefined && this.#clock.now() - list.readAt < TRUSTED_MS ? list : null;
  }

  async #read(userId: Uint8Array): Promise<BlockList> {
    const readAt = this.#clock.now();
    const blocked = new Set((await this.#blocks.list(userId)).map(toHex));
    const key = toHex(userId);
    this.#lists.delete(key);
    this.#lists.set(key, { blocked, readAt });
    const oldest = this.#lists.keys().next();
    if (this.#lists.size > MAX_LISTS && oldest.done !== true) this.#lists.delete(oldest.value);
    return { blocked, readAt };
  }
}
