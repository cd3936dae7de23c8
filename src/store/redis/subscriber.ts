import type { RedisClient } from "./connect.ts";

type Listener = (message: Uint8Array) => void;

/**
 * What is heard on channels, over any number of reconnections. One server: a connection of its own. A Cluster: sharded
 * channels, on connections that the client keeps and subscribes anew by itself.
 */
export class Subscriber {
  readonly #client: RedisClient;
  readonly #sharded: boolean;
  readonly #listeners = new Map<string, Set<Listener>>();

  /** @param onGap messages may have been missed until now */
  constructor(client: RedisClient, sharded: boolean, onGap: () => void) {
    this.#client = client;
    this.#sharded = sharded;
    client.on(sharded ? "smessageBuffer" : "messageBuffer", (channel, message) => this.#hear(channel, message));
    if (!sharded) client.on("ready", () => void this.#subscribeAgain(onGap));
  }

  /** Asks for the channel where that is possible now; else it is asked for with the next connection. */
  async subscribe(channel: string, listener: Listener): Promise<() => void> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    if (listeners.size === 1) await this.#ask([channel]);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#listeners.delete(channel);
      void (this.#sharded ? this.#client.sunsubscribe(channel) : this.#client.unsubscribe(channel)).catch(() => {});
    };
  }

  async #subscribeAgain(onGap: () => void): Promise<void> {
    await this.#ask([...this.#listeners.keys()]);
    onGap();
  }

  async #ask(channels: readonly string[]): Promise<void> {
    if (channels.length === 0 || this.#client.status !== "ready") return;
    try {
      if (this.#sharded) for (const channel of channels) await this.#client.ssubscribe(channel);
      else await this.#client.subscribe(...channels);
    } catch {
      this.#client.disconnect(true); // whoever is connected anew is subscribed anew
    }
  }

  /** The types are what a Redis sends; whatever throws in here would end the process. */
  #hear(channel: Buffer, message: Buffer): void {
    if (!(channel instanceof Uint8Array) || !(message instanceof Uint8Array)) return;
    const bytes = Uint8Array.from(message);
    for (const listener of this.#listeners.get(channel.toString()) ?? []) listener(bytes);
  }
}
