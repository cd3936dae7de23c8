import type { Bus, Delivery } from "../bus.ts";
import { requireText, requireUpTo } from "../checks.ts";
import { MAX_BUS_MESSAGE_BYTES, MAX_NODE_ID_LENGTH } from "../limits.ts";
import { AwayError } from "./errors.ts";
import type { RedisLink } from "./link.ts";
import { Outbox, unpack } from "./outbox.ts";

/**
 * The bus over publications: what nodes say to each other is worth nothing a few seconds later, so that a stream, which
 * keeps what nobody took, would only have to be swept; and the number of those who heard tells at once that a node is gone.
 * On a Cluster the channels are sharded: a message crosses the shard of its channel and no other.
 */
export class RedisBus implements Bus {
  readonly #link: RedisLink;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #ends = new Set<() => void>();

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async subscribe(nodeId: string, listener: (message: Uint8Array) => void): Promise<() => void> {
    const hear = (packed: Uint8Array) => {
      for (const message of unpack(packed)) listener(message);
    };
    const unsubscribe = await this.#link.subscribe(this.#channel(nodeId), hear);
    const end = () => {
      this.#ends.delete(end);
      unsubscribe();
    };
    this.#ends.add(end);
    return end;
  }

  async publish(nodeId: string, message: Uint8Array): Promise<Delivery> {
    const channel = this.#channel(nodeId);
    requireUpTo("message", message, MAX_BUS_MESSAGE_BYTES);
    const outbox = this.#outboxes.get(channel) ?? new Outbox((pack) => this.#send(channel, pack));
    this.#outboxes.set(channel, outbox);
    const delivery = await outbox.publish(message);
    if (outbox.isEmpty) this.#outboxes.delete(channel);
    return delivery;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
  }

  async #send(channel: string, pack: Uint8Array): Promise<Delivery> {
    try {
      return (await this.#link.publish(channel, pack)) > 0 ? "heard" : "nobody";
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return "away";
    }
  }

  #channel(nodeId: string): string {
    return `${this.#link.prefix}:bus:${requireText("node id", nodeId, MAX_NODE_ID_LENGTH)}`;
  }
}
