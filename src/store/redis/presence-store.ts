import { toHex } from "../../wire/bytes.ts";
import type { Page } from "../accounts.ts";
import { requireBytes, requireEntry, requirePageSize, requireText, requireTime } from "../checks.ts";
import { ID_BYTES, MAX_NAME_LENGTH, MAX_NODE_ID_LENGTH } from "../limits.ts";
import type { OnlinePerson, PresenceChange, PresenceEntry, PresenceStore } from "../presence.ts";
import { channelOf, decodeEntry, decodeNode, decodePerson, encodeEntry, encodeNode, pageStart } from "./entries.ts";
import { AwayError } from "./errors.ts";
import type { RedisLink } from "./link.ts";
import { NewsReader } from "./news-reader.ts";
import { OwnChannels } from "./own-channels.ts";
import { Reconciler } from "./reconciler.ts";
import { presenceKeys, presenceScripts } from "./scripts.ts";

/** Channels that go in one step of Redis, so that it is never held up for long. */
const BATCH = 1_000;

/**
 * Presence of all nodes, in Redis. While it is away this node goes on with its own people; what changed meanwhile is
 * brought in line when it is back, and with each renewal of the lease.
 */
export class RedisPresenceStore implements PresenceStore {
  readonly #link: RedisLink;
  readonly #keys: readonly string[];
  readonly #own = new OwnChannels();
  readonly #news: NewsReader;
  readonly #reconciler: Reconciler;
  #unsubscribe: () => void = () => {};
  /** Redis's clock less that of whoever asked last. */
  #clockOffsetMs = 0;

  private constructor(link: RedisLink) {
    this.#link = link;
    this.#keys = presenceKeys(link.prefix);
    this.#news = new NewsReader(link, this.#keys);
    this.#reconciler = new Reconciler(this.#own, {
      add: (channel, entry) => this.#run("add", channel, entry),
      remove: (channel) => this.#run("remove", channel),
      list: async (nodeId) => textsIn(await this.#run("channels", encodeNode(nodeId))).map(channelIn),
    });
  }

  /** @throws AwayError */
  static async open(link: RedisLink): Promise<RedisPresenceStore> {
    const store = new RedisPresenceStore(link);
    store.#unsubscribe = await link.subscribe(store.#keys[6] ?? "", (message) => store.#news.hear(message));
    await store.#news.readAll();
    link.onBeat((hasGap) => store.#catchUp(hasGap));
    return store;
  }

  async add(entry: PresenceEntry): Promise<void> {
    requireEntry(entry);
    this.#own.add(entry);
    await this.#whereThere(
      () => this.#run("add", channelOf(entry), encodeEntry(entry)),
      () => this.#goOnWith(entry),
    );
  }

  async remove(deviceId: Uint8Array, connectionId: Uint8Array): Promise<boolean> {
    requireBytes("device id", deviceId, ID_BYTES);
    requireBytes("connection id", connectionId, ID_BYTES);
    const channel = channelOf({ deviceId, connectionId });
    const own = this.#own.remove(channel);
    const wasThere = async () => (await this.#run("remove", channel)) === 1;
    return this.#whereThere(wasThere, () => own !== undefined && this.#goOnWith(own));
  }

  async entriesOf(userId: Uint8Array): Promise<readonly PresenceEntry[]> {
    requireBytes("user id", userId, ID_BYTES);
    const ask = async () => {
      const texts = textsIn(await this.#run("entries", toHex(userId)));
      return this.#own.amendEntries(
        userId,
        texts.flatMap((text) => decodeEntry(text) ?? []),
      );
    };
    return this.#whereThere(ask, () => this.#own.ofPerson(userId));
  }

  async isOnline(userId: Uint8Array): Promise<boolean> {
    return (await this.entriesOf(userId)).length > 0;
  }

  async online(page: Page): Promise<readonly OnlinePerson[]> {
    const start = pageStart(requireText("name", page.after ?? "", MAX_NAME_LENGTH));
    requirePageSize(page.limit);
    const ask = async () => {
      const people = textsIn(await this.#run("page", start, page.limit)).flatMap(decodePerson);
      return this.#own.amendPage(page, people);
    };
    return this.#whereThere(ask, () => this.#own.page(page));
  }

  async renewNode(nodeId: string, leaseEndsAtMs: number): Promise<boolean> {
    const node = encodeNode(requireText("node id", nodeId, MAX_NODE_ID_LENGTH));
    requireTime("end of the lease", leaseEndsAtMs);
    const renew = async () => {
      const [held, channels] = numbersIn(await this.#run("renew", node, leaseEndsAtMs));
      this.#own.isDoubted = false;
      await this.#reconciler.settle();
      const own = this.#own.ofNode(nodeId).length;
      if (held === 1 && own > 0 && own !== channels) await this.#reconciler.compare(nodeId);
      return held === 1;
    };
    return this.#whereThere(renew, () => (this.#own.isDoubted = true));
  }

  async removeNode(nodeId: string): Promise<void> {
    const node = encodeNode(requireText("node id", nodeId, MAX_NODE_ID_LENGTH));
    for (const entry of this.#own.ofNode(nodeId)) this.#own.remove(channelOf(entry));
    const work = async () => {
      while ((await this.#run("removeNode", node, BATCH)) === BATCH);
    };
    await this.#whereThere(work, () => {});
  }

  async sweep(nowMs: number): Promise<void> {
    requireTime("now", nowMs);
    const work = async () => {
      while ((await this.#run("sweep", nowMs, BATCH)) === BATCH);
    };
    await this.#whereThere(work, () => {});
  }

  async nodes(): Promise<readonly string[]> {
    const ask = async () => textsIn(await this.#run("nodes")).map(decodeNode);
    return this.#whereThere(ask, () => this.#own.nodes());
  }

  async timeMs(ownMs: number): Promise<number> {
    requireTime("own time", ownMs);
    const ask = async () => {
      const [seconds = 0, microseconds = 0] = numbersIn(await this.#run("time"));
      this.#clockOffsetMs = seconds * 1_000 + Math.floor(microseconds / 1_000) - ownMs;
    };
    await this.#whereThere(ask, () => {});
    return ownMs + this.#clockOffsetMs;
  }

  subscribe(listener: (changes: readonly PresenceChange[]) => void): () => void {
    return this.#news.view.subscribe(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#news.view.end();
  }

  async #run(name: keyof typeof presenceScripts, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#link.run(presenceScripts[name], this.#keys, this.#link.publishCommand, ...args);
  }

  async #whereThere<T>(work: () => Promise<T>, elsewise: () => T): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return elsewise();
    }
  }

  /** Without Redis: this node's people hear of each other. */
  #goOnWith(entry: PresenceEntry): true {
    this.#own.unsure.add(channelOf(entry));
    this.#news.view.set(entry, this.#own.isShown(entry.userId));
    return true;
  }

  /** @throws AwayError */
  async #catchUp(hasGap: boolean): Promise<void> {
    await this.#news.check(hasGap);
    await this.#reconciler.settle();
  }
}

function textsIn(reply: unknown): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

function numbersIn(reply: unknown): readonly number[] {
  return Array.isArray(reply) ? reply.map(Number) : [];
}

/** What stands behind the node. */
function channelIn(member: string): string {
  return member.slice(-64);
}
