import type { PasswordReset, PasswordResets } from "../accounts.ts";
import { requireBytes, requireTime } from "../checks.ts";
import { ID_BYTES, KEY_BYTES } from "../limits.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { binary, bytesIn, clearingAfter, type ResetDocument } from "./documents.ts";
import { isDuplicate } from "./errors.ts";

export class MongoResets implements PasswordResets {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get #resets(): Collections["resets"] {
    return this.#connection.collections.resets;
  }

  get #redeemed(): Collections["redeemedResets"] {
    return this.#connection.collections.redeemedResets;
  }

  async create({ tokenHash, userId, expiresAtMs }: PasswordReset): Promise<void> {
    const document: ResetDocument = {
      _id: binary(requireBytes("token hash", tokenHash, KEY_BYTES)),
      userId: binary(requireBytes("user id", userId, ID_BYTES)),
      expiresAtMs: requireTime("expiry", expiresAtMs),
      clearAt: clearingAfter(expiresAtMs, 1),
    };
    const work = (call: CallOptions) => this.#resets.insertOne(document, call);
    await perform(this.#connection, "create the password reset", work);
  }

  async redeem(tokenHash: Uint8Array, nowMs: number): Promise<Uint8Array | null> {
    const _id = binary(requireBytes("token hash", tokenHash, KEY_BYTES));
    requireTime("now", nowMs);
    return perform(this.#connection, "redeem the password reset", async (call) => {
      const reset = await this.#resets.findOne({ _id, expiresAtMs: { $gt: nowMs } }, call);
      return reset !== null && (await this.#redeemOnce(reset, call)) ? bytesIn(reset.userId) : null;
    });
  }

  async cancel(userId: Uint8Array): Promise<void> {
    const owner = binary(requireBytes("user id", userId, ID_BYTES));
    const work = (call: CallOptions) => this.#resets.deleteMany({ userId: owner }, call);
    await perform(this.#connection, "cancel password resets", work);
  }

  /** The insert decides who was first. It is cleared after the reset itself, which would else be good again. */
  async #redeemOnce({ _id, expiresAtMs }: ResetDocument, call: CallOptions): Promise<boolean> {
    try {
      await this.#redeemed.insertOne({ _id, expiresAtMs, clearAt: clearingAfter(expiresAtMs, 2) }, call);
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      return false;
    }
  }
}
