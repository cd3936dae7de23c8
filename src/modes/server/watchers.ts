import type { PresenceChange, PresenceStore } from "../../store/presence.ts";
import { equalBytes } from "../../wire/bytes.ts";
import type { BlockLists } from "./block-lists.ts";
import type { Clock } from "./clock.ts";
import type { Directory } from "./directory.ts";
import type { Member, Message } from "./members.ts";
import type { Identity } from "./tokens.ts";

/** Names that one member hears of. */
const MAX_NAMES = 500;
const BATCH_MS = 1_000;

interface Watcher {
  readonly member: Member;
  readonly names: Set<string>;
  readonly everyone: boolean;
  /** What the member has not heard yet, by name. */
  readonly pending: Map<string, boolean>;
  nextAt: number;
  cancel: (() => void) | null;
}

/** Tells members who comes and goes of those they look at, once a second at most. */
export class Watchers {
  readonly #presence: PresenceStore;
  readonly #directory: Directory;
  readonly #blockLists: BlockLists;
  readonly #clock: Clock;
  readonly #watchers = new Map<string, Watcher>();
  readonly #unsubscribe: () => void;
  /** One batch of changes after the other, so that the last word is the latest. */
  #last: Promise<void> = Promise.resolve();

  constructor(
    presence: PresenceStore,
    directory: Directory,
    blockLists: BlockLists,
    clock: Clock,
    onTrouble: (error: unknown) => void,
  ) {
    this.#presence = presence;
    this.#directory = directory;
    this.#blockLists = blockLists;
    this.#clock = clock;
    this.#unsubscribe = presence.subscribe((changes) => {
      this.#last = this.#last.then(() => this.#spread(changes)).catch(onTrouble);
    });
  }

  /** Replaces what the member watched before; how those are now follows with the next batch. */
  async watch(member: Member, { names, everyone }: Pick<Message<"watch">, "names" | "everyone">): Promise<void> {
    this.left(member);
    if (names.length === 0 && !everyone) return;
    const nextAt = this.#clock.now();
    const watcher: Watcher = { member, names: new Set(names), everyone, pending: new Map(), nextAt, cancel: null };
    this.#watchers.set(member.id, watcher);
    for (const name of names) this.#tell(watcher, name, await this.#directory.isSeenOnline(member.identity, name));
    for (const person of everyone ? await this.#presence.online({ limit: MAX_NAMES }) : [])
      await this.#tellUnlessBlocked(watcher, { ...person, online: true });
  }

  left(member: Member): void {
    this.#watchers.get(member.id)?.cancel?.();
    this.#watchers.delete(member.id);
  }

  /** Someone blocked `hidden`, or no longer does: what members of `hidden` see of that person changes. */
  async blockChanged(
    hidden: Pick<Identity, "userId">,
    { userId, name }: Pick<Identity, "userId" | "name">,
  ): Promise<void> {
    const watching = [...this.#watchers.values()].filter(({ member }) =>
      equalBytes(member.identity.userId, hidden.userId),
    );
    for (const watcher of watching)
      if (watcher.names.has(name)) {
        const online = await this.#directory.isSeenOnline(watcher.member.identity, name);
        await this.#tellUnlessBlocked(watcher, { userId, name, online });
      }
  }

  stop(): void {
    this.#unsubscribe();
    for (const { member } of this.#watchers.values()) this.left(member);
  }

  async #spread(changes: readonly PresenceChange[]): Promise<void> {
    for (const watcher of this.#watchers.values())
      for (const change of changes) await this.#tellUnlessBlocked(watcher, change);
  }

  async #tellUnlessBlocked(watcher: Watcher, { userId, name, online }: PresenceChange): Promise<void> {
    if (!watcher.names.has(name) && !this.#mayAdd(watcher)) return;
    watcher.names.add(name);
    const blocked = await this.#blockLists.hasBlocked(userId, watcher.member.identity.userId);
    this.#tell(watcher, name, online && !blocked);
  }

  #mayAdd({ everyone, names }: Watcher): boolean {
    return everyone && names.size < MAX_NAMES;
  }

  #tell(watcher: Watcher, name: string, online: boolean): void {
    if (this.#watchers.get(watcher.member.id) !== watcher) return;
    watcher.pending.set(name, online);
    watcher.cancel ??= this.#clock.after(Math.max(0, watcher.nextAt - this.#clock.now()), () => this.#flush(watcher));
  }

  #flush(watcher: Watcher): void {
    watcher.cancel = null;
    watcher.nextAt = this.#clock.now() + BATCH_MS;
    const changes = [...watcher.pending].map(([name, online]) => ({ name, online }));
    watcher.pending.clear();
    watcher.member.send({ kind: "presence", changes });
  }
}
