import { channelOf, encodeEntry } from "./entries.ts";
import type { OwnChannels } from "./own-channels.ts";

/** The steps of Redis that bring a channel in line; each rejects with an AwayError while Redis is away. */
export interface ChannelSteps {
  readonly add: (channel: string, entry: string) => Promise<unknown>;
  readonly remove: (channel: string) => Promise<unknown>;
  /** The channels of a node. */
  readonly list: (nodeId: string) => Promise<readonly string[]>;
}

/** Makes Redis agree with what this node has. */
export class Reconciler {
  readonly #own: OwnChannels;
  readonly #steps: ChannelSteps;

  constructor(own: OwnChannels, steps: ChannelSteps) {
    this.#own = own;
    this.#steps = steps;
  }

  /** Tells what may have been missed. @throws AwayError */
  async settle(): Promise<void> {
    const channels = Array.from(this.#own.unsure); // it changes meanwhile
    for (const channel of channels) {
      this.#own.unsure.delete(channel); // first: what happens to it meanwhile may be in doubt again
      try {
        await this.#tellOf(channel);
      } catch (error) {
        this.#own.unsure.add(channel);
        throw error;
      }
    }
  }

  /**
   * For a Redis that has lost some of a node's channels, or keeps some that are gone: a replica that took over does.
   * @throws AwayError
   */
  async compare(nodeId: string): Promise<void> {
    const listed = new Set(await this.#steps.list(nodeId));
    for (const channel of listed) if (this.#own.get(channel) === undefined) this.#own.unsure.add(channel);
    for (const channel of this.#own.ofNode(nodeId).map(channelOf))
      if (!listed.has(channel)) this.#own.unsure.add(channel);
    await this.settle();
  }

  async #tellOf(channel: string): Promise<void> {
    const entry = this.#own.get(channel);
    if (entry === undefined) await this.#steps.remove(channel);
    else await this.#steps.add(channel, encodeEntry(entry));
  }
}
