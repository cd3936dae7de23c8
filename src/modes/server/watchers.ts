import type { PresenceChange, PresenceStore } from "../../store/presence.ts";
import { equalBytes } from "../../wire/bytes.ts";
import { Audience, type Watcher } from "./audience.ts";
import type { BlockLists } from "./block-lists.ts";
import type { Clock } from "./clock.ts";
import type { Directory } from "./directory.ts";
import type { Member, Message } from "./members.ts";
import type { Identity } from "./tokens.ts";
import { MAX_NAMES, View } from "./view.ts";

/** Another node may have changed block lists, without this one hearing of it. */
const LISTS_TRUSTED_MS = 30_000;
const NOBODY: ReadonlySet<string> = new Set();

/** Of all who look at everyone, and at nobody by name. */
interface Shared {
  readonly audience: Audience;
  /** When who is there, or whom they have blocked, was last read. */
  readAt: number | null;
  reading: Promise<void> | null;
}

/** Tells members who comes and goes of those they look at. All who look at everyone, and at nobody by name, share what they see. */
export class Watchers {
  readonly #presence: PresenceStore;
  readonly #directory: Directory;
  readonly #blockLists: BlockLists;
  readonly #clock: Clock;
  /** By member id. */
  readonly #watchers = new Map<string, Watcher>();
  /** Those that look at names of their own, by each of them. */
  readonly #byName = new Map<string, Set<Audience>>();
  /** Those that look at everyone. */
  readonly #wide = new Set<Audience>();
  #shared: Shared | null = null;
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
    const shared = names.length === 0 ? (this.#shared ??= this.#share()) : null;
    const audience = shared?.audience ?? this.#open(new View(names, everyone));
    const watcher: Watcher = { member, audience, own: null };
    audience.expect(watcher);
    this.#watchers.set(member.id, watcher);
    try {
      await (shared === null ? this.#read(audience, member.identity) : this.#readShared(shared));
      if (this.#watchers.get(member.id) === watcher) audience.join(watcher);
    } catch (error) {
      if (this.#watchers.get(member.id) === watcher) this.left(member);
      throw error;
    }
  }

  left(member: Member): void {
    const watcher = this.#watchers.get(member.id);
    if (watcher === undefined) return;
    this.#watchers.delete(member.id);
    watcher.audience.leave(watcher);
    if (watcher.audience.isEmpty) this.#close(watcher.audience);
  }

  /** Someone blocked `hidden`, or no longer does: what members of `hidden` see of that person changes. */
  async blockChanged(
    hidden: Pick<Identity, "userId">,
    { userId, name }: Pick<Identity, "userId" | "name">,
  ): Promise<void> {
    for (const audience of this.#looking(name, false)) {
      const hiddenFrom = await this.#blockLists.of(userId);
      const seen = audience.view.get(name);
      if (seen !== null) audience.learn(name, { ...seen, userId, hiddenFrom });
    }
    for (const watcher of this.#watchers.values())
      if (equalBytes(watcher.member.identity.userId, hidden.userId) && watcher.audience.view.get(name) !== null)
        watcher.audience.tellOne(watcher, name, await this.#directory.isSeenOnline(watcher.member.identity, name));
  }

  stop(): void {
    this.#unsubscribe();
    for (const { member } of this.#watchers.values()) this.left(member);
  }

  async #spread(changes: readonly PresenceChange[]): Promise<void> {
    for (const { userId, name, online } of changes) {
      const looking = this.#looking(name, online);
      if (looking.length === 0) continue;
      const hiddenFrom = online ? (this.#blockLists.known(userId) ?? (await this.#blockLists.of(userId))) : NOBODY;
      for (const audience of looking) audience.change(name, { userId, online, hiddenFrom });
    }
  }

  /** Those whom a change of this person concerns. */
  #looking(name: string, online: boolean): readonly Audience[] {
    const wide = [...this.#wide].filter((audience) => audience.wants(name, online));
    const own = [...(this.#byName.get(name) ?? [])].filter((audience) => !this.#wide.has(audience));
    return [...wide, ...own];
  }

  #share(): Shared {
    return { audience: this.#open(new View([], true)), readAt: null, reading: null };
  }

  #open(view: View): Audience {
    const audience = new Audience(view, this.#clock);
    if (view.everyone) this.#wide.add(audience);
    for (const name of view.names) this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(audience));
    return audience;
  }

  #close(audience: Audience): void {
    if (this.#shared?.audience === audience) this.#shared = null;
    this.#wide.delete(audience);
    for (const name of audience.view.names) {
      const others = this.#byName.get(name);
      others?.delete(audience);
      if (others?.size === 0) this.#byName.delete(name);
    }
  }

  /** What a change has told meanwhile is newer. */
  async #read(audience: Audience, viewer: Identity): Promise<void> {
    for (const name of audience.view.names) {
      const online = await this.#directory.isSeenOnline(viewer, name);
      if (audience.view.get(name) === null) audience.learn(name, { userId: null, online, hiddenFrom: NOBODY });
    }
    if (audience.view.everyone) await this.#readEveryone(audience);
  }

  async #readEveryone(audience: Audience): Promise<void> {
    for (const { userId, name } of await this.#presence.online({ limit: MAX_NAMES })) {
      const hiddenFrom = await this.#blockLists.of(userId);
      if (audience.view.get(name) === null) audience.learn(name, { userId, online: true, hiddenFrom });
    }
  }

  async #readShared(shared: Shared): Promise<void> {
    const now = this.#clock.now();
    if (shared.reading === null && shared.readAt !== null && now - shared.readAt < LISTS_TRUSTED_MS) return;
    const read = async () => {
      await (shared.readAt === null ? this.#readEveryone(shared.audience) : this.#readListsAgain(shared.audience));
      shared.readAt = now;
    };
    shared.reading ??= read().finally(() => (shared.reading = null));
    await shared.reading;
  }

  async #readListsAgain(audience: Audience): Promise<void> {
    for (const [name, { userId }] of audience.view.known) {
      const hiddenFrom = userId === null ? NOBODY : await this.#blockLists.of(userId);
      const seen = audience.view.get(name);
      if (seen !== null) audience.learn(name, { ...seen, hiddenFrom });
    }
  }
}
