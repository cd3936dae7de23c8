import type { SQLQueryBindings, Statement } from "bun:sqlite";
import { requireBytes, requireInteger, requireTime } from "../checks.ts";
import type { Invitation, Invitations, InvitationState } from "../invitations.ts";
import { ID_BYTES, KEY_BYTES, MAX_INVITATION_USES } from "../limits.ts";
import { type Connection, perform } from "./connection.ts";

interface InvitationRow {
  readonly invite_id: Uint8Array;
  readonly uses: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly created_by: Uint8Array | null;
  readonly spent: number;
}

const SELECT = `SELECT *, (SELECT count(*) FROM accounts WHERE accounts.invite_id = invitations.invite_id) AS spent
  FROM invitations`;

export class SqliteInvitations implements Invitations {
  readonly #connection: Connection;
  readonly #insert: Statement;
  readonly #find: Statement<InvitationRow, SQLQueryBindings[]>;
  readonly #list: Statement<InvitationRow, SQLQueryBindings[]>;

  constructor(connection: Connection) {
    const { db } = connection;
    this.#connection = connection;
    this.#insert = db.prepare(`INSERT INTO invitations
      (invite_id, uses, created_at_ms, expires_at_ms, created_by) VALUES (?1, ?2, ?3, ?4, ?5)`);
    this.#find = db.prepare(`${SELECT} WHERE invite_id = ?1 AND expires_at_ms > ?2`);
    this.#list = db.prepare(`${SELECT} WHERE expires_at_ms > ?1 ORDER BY created_at_ms, invite_id`);
  }

  async create({ inviteId, uses, createdAtMs, expiresAtMs, createdBy }: Invitation): Promise<void> {
    requireBytes("invitation", inviteId, KEY_BYTES);
    requireInteger("uses", uses, 1, MAX_INVITATION_USES);
    requireTime("creation time", createdAtMs);
    requireTime("expiry", expiresAtMs);
    if (createdBy !== null) requireBytes("user id", createdBy, ID_BYTES);
    await perform(this.#connection, "create the invitation", () => {
      this.#insert.run(inviteId, uses, createdAtMs, expiresAtMs, createdBy);
    });
  }

  async find(inviteId: Uint8Array, nowMs: number): Promise<InvitationState | null> {
    requireBytes("invitation", inviteId, KEY_BYTES);
    requireTime("now", nowMs);
    const row = await perform(this.#connection, "find the invitation", () => this.#find.get(inviteId, nowMs));
    return row === null ? null : toInvitation(row);
  }

  async list(nowMs: number): Promise<readonly InvitationState[]> {
    requireTime("now", nowMs);
    return (await perform(this.#connection, "list invitations", () => this.#list.all(nowMs))).map(toInvitation);
  }
}

function toInvitation(row: InvitationRow): InvitationState {
  return {
    inviteId: row.invite_id,
    uses: row.uses,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    createdBy: row.created_by,
    spent: row.spent,
  };
}
