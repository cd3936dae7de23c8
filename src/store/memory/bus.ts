import type { Bus, Delivery } from "../bus.ts";
import { requireText, requireUpTo } from "../checks.ts";
import { MAX_BUS_MESSAGE_BYTES, MAX_NODE_ID_LENGTH } from "../limits.ts";

type Listener = (message: Uint8Array) => void;

/** The bus of a server that is one process. */
export class MemoryBus implements Bus {
  readonly #listeners = new Map<string, Set<Listener>>();

  async subscribe(nodeId: string, listener: Listener): Promise<() => void> {
    requireText("node id", nodeId, MAX_NODE_ID_LENGTH);
    const listeners = this.#listeners.get(nodeId) ?? new Set();
    this.#listeners.set(nodeId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(nodeId);
    };
  }

  /** Heard later, as over a network: never while the sender is still at it. */
  async publish(nodeId: string, message: Uint8Array): Promise<Delivery> {
    requireText("node id", nodeId, MAX_NODE_ID_LENGTH);
    const copy = Uint8Array.from(requireUpTo("message", message, MAX_BUS_MESSAGE_BYTES));
    const listeners = this.#listeners.get(nodeId);
    if (listeners === undefined) return "nobody";
    setImmediate(() => {
      for (const listener of listeners) listener(copy);
    });
    return "heard";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listeners of this.#listeners.values()) listeners.clear();
    this.#listeners.clear();
  }
}
