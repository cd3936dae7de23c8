import { concat } from "../../wire/bytes.ts";
import type { Blocks } from "../accounts.ts";
import { requireBytes } from "../checks.ts";
import { ID_BYTES } from "../limits.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { binary, type BlockDocument, bytesIn } from "./documents.ts";
import { ignoreDuplicate } from "./errors.ts";

export class MongoBlocks implements Blocks {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get #blocks(): Collections["blocks"] {
    return this.#connection.collections.blocks;
  }

  async add(userId: Uint8Array, blockedUserId: Uint8Array): Promise<void> {
    const document = blockOf(userId, blockedUserId);
    await perform(this.#connection, "block the person", async (call) => {
      await this.#blocks.insertOne(document, call).catch(ignoreDuplicate);
    });
  }

  async remove(userId: Uint8Array, blockedUserId: Uint8Array): Promise<boolean> {
    const { _id } = blockOf(userId, blockedUserId);
    const work = (call: CallOptions) => this.#blocks.deleteOne({ _id }, call);
    return (await perform(this.#connection, "unblock the person", work)).deletedCount > 0;
  }

  async list(userId: Uint8Array): Promise<readonly Uint8Array[]> {
    const blocker = binary(requireBytes("user id", userId, ID_BYTES));
    const options = { sort: { blockedUserId: 1 } } as const;
    const found = await perform(this.#connection, "list blocks", (call) =>
      this.#blocks.find({ userId: blocker }, { ...call, ...options }).toArray(),
    );
    return found.map(({ blockedUserId }) => bytesIn(blockedUserId));
  }

  async isBlocked(userId: Uint8Array, blockedUserId: Uint8Array): Promise<boolean> {
    const { _id } = blockOf(userId, blockedUserId);
    const work = (call: CallOptions) => this.#blocks.findOne({ _id }, call);
    return (await perform(this.#connection, "look up the block", work)) !== null;
  }
}

function blockOf(userId: Uint8Array, blockedUserId: Uint8Array): BlockDocument {
  requireBytes("user id", userId, ID_BYTES);
  requireBytes("blocked user id", blockedUserId, ID_BYTES);
  return { _id: binary(concat(userId, blockedUserId)), userId: binary(userId), blockedUserId: binary(blockedUserId) };
}
