import type { SQLQueryBindings, Statement } from "bun:sqlite";
import type { PasswordReset, PasswordResets } from "../accounts.ts";
import { requireBytes, requireTime } from "../checks.ts";
import { ID_BYTES, KEY_BYTES } from "../limits.ts";
import { type Connection, perform, takenColumns } from "./connection.ts";

interface ResetRow {
  readonly user_id: Uint8Array;
  readonly expires_at_ms: number;
}

export class SqliteResets implements PasswordResets {
  readonly #connection: Connection;
  readonly #insert: Statement;
  readonly #find: Statement<ResetRow, SQLQueryBindings[]>;
  readonly #insertRedeemed: Statement;
  readonly #cancel: Statement;

  constructor(connection: Connection) {
    const { db } = connection;
    this.#connection = connection;
    this.#insert = db.prepare("INSERT INTO resets (token_hash, user_id, expires_at_ms) VALUES (?1, ?2, ?3)");
    this.#find = db.prepare("SELECT user_id, expires_at_ms FROM resets WHERE token_hash = ?1 AND expires_at_ms > ?2");
    this.#insertRedeemed = db.prepare("INSERT INTO redeemed_resets (token_hash, expires_at_ms) VALUES (?1, ?2)");
    this.#cancel = db.prepare("DELETE FROM resets WHERE user_id = ?1");
  }

  async create({ tokenHash, userId, expiresAtMs }: PasswordReset): Promise<void> {
    requireBytes("token hash", tokenHash, KEY_BYTES);
    requireBytes("user id", userId, ID_BYTES);
    requireTime("expiry", expiresAtMs);
    const work = () => this.#insert.run(tokenHash, userId, expiresAtMs);
    await perform(this.#connection, "create the password reset", work);
  }

  async redeem(tokenHash: Uint8Array, nowMs: number): Promise<Uint8Array | null> {
    requireBytes("token hash", tokenHash, KEY_BYTES);
    requireTime("now", nowMs);
    return perform(this.#connection, "redeem the password reset", () => {
      const reset = this.#find.get(tokenHash, nowMs);
      return reset !== null && this.#redeemOnce(tokenHash, reset.expires_at_ms) ? reset.user_id : null;
    });
  }

  async cancel(userId: Uint8Array): Promise<void> {
    requireBytes("user id", userId, ID_BYTES);
    await perform(this.#connection, "cancel password resets", () => this.#cancel.run(userId));
  }

  /** The insert decides who was first. */
  #redeemOnce(tokenHash: Uint8Array, expiresAtMs: number): boolean {
    try {
      return this.#insertRedeemed.run(tokenHash, expiresAtMs).changes > 0;
    } catch (error) {
      if (takenColumns(error) === null) throw error;
      return false;
    }
  }
}
