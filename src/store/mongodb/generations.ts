import { requireTime } from "../checks.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { isDuplicate } from "./errors.ts";

/** Left in place below the highest, for a node that read an older one and is about to insert its successor. */
const KEPT = 1_000;

/** A number that rises by inserting the next one: of two nodes that try the same, one is refused and looks again. */
export class Generations {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get #generations(): Collections["generations"] {
    return this.#connection.collections.generations;
  }

  async highest(): Promise<number> {
    return perform(this.#connection, "read the generation", (call) => this.#highest(call));
  }

  async raise(above: number): Promise<number> {
    requireTime("generation", above);
    return perform(this.#connection, "raise the generation", async (call) => {
      for (;;) {
        const next = Math.max(await this.#highest(call), above) + 1;
        if (await this.#insert(next, call)) return next;
      }
    });
  }

  async sweep(): Promise<void> {
    await perform(this.#connection, "sweep the account store", async (call) => {
      await this.#generations.deleteMany({ _id: { $lt: (await this.#highest(call)) - KEPT } }, call);
    });
  }

  async #highest(call: CallOptions): Promise<number> {
    const found = await this.#generations.findOne({}, { ...call, sort: { _id: -1 } });
    return found?._id ?? 0;
  }

  async #insert(generation: number, call: CallOptions): Promise<boolean> {
    try {
      await this.#generations.insertOne({ _id: generation }, call);
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      return false;
    }
  }
}
