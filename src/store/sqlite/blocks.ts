import type { SQLQueryBindings, Statement } from "bun:sqlite";
import type { Blocks } from "../accounts.ts";
import { requireBytes } from "../checks.ts";
import { ID_BYTES } from "../limits.ts";
import { type Connection, perform } from "./connection.ts";

type Select = Statement<{ readonly blocked_user_id: Uint8Array }, SQLQueryBindings[]>;

export class SqliteBlocks implements Blocks {
  readonly #connection: Connection;
  readonly #insert: Statement;
  readonly #delete: Statement;
  readonly #list: Select;
  readonly #find: Select;

  constructor(connection: Connection) {
    const { db } = connection;
    this.#connection = connection;
    this.#insert = db.prepare("INSERT INTO blocks (user_id, blocked_user_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
    this.#delete = db.prepare("DELETE FROM blocks WHERE user_id = ?1 AND blocked_user_id = ?2");
    this.#list = db.prepare("SELECT blocked_user_id FROM blocks WHERE user_id = ?1 ORDER BY blocked_user_id");
    this.#find = db.prepare("SELECT blocked_user_id FROM blocks WHERE user_id = ?1 AND blocked_user_id = ?2");
  }

  async add(userId: Uint8Array, blockedUserId: Uint8Array): Promise<void> {
    requirePair(userId, blockedUserId);
    await perform(this.#connection, "block the person", () => this.#insert.run(userId, blockedUserId));
  }

  async remove(userId: Uint8Array, blockedUserId: Uint8Array): Promise<boolean> {
    requirePair(userId, blockedUserId);
    const work = () => this.#delete.run(userId, blockedUserId).changes > 0;
    return perform(this.#connection, "unblock the person", work);
  }

  async list(userId: Uint8Array): Promise<readonly Uint8Array[]> {
    requireBytes("user id", userId, ID_BYTES);
    const rows = await perform(this.#connection, "list blocks", () => this.#list.all(userId));
    return rows.map((row) => row.blocked_user_id);
  }

  async isBlocked(userId: Uint8Array, blockedUserId: Uint8Array): Promise<boolean> {
    requirePair(userId, blockedUserId);
    return perform(this.#connection, "look up the block", () => this.#find.get(userId, blockedUserId) !== null);
  }
}

function requirePair(userId: Uint8Array, blockedUserId: Uint8Array): void {
  requireBytes("user id", userId, ID_BYTES);
  requireBytes("blocked user id", blockedUserId, ID_BYTES);
}
