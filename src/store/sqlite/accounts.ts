import type { SQLQueryBindings, Statement } from "bun:sqlite";
import type { Account, Accounts, Admission, NewAccount, Page } from "../accounts.ts";
import { requireAccount, requireBytes, requirePageSize, requireText } from "../checks.ts";
import { StoreError } from "../errors.ts";
import { ID_BYTES, KEY_BYTES, MAX_NAME_LENGTH, MAX_PASSWORD_HASH_LENGTH } from "../limits.ts";
import { type Connection, perform, takenColumns } from "./connection.ts";

interface AccountRow {
  readonly user_id: Uint8Array;
  readonly name: string;
  readonly password_hash: string;
  readonly created_at_ms: number;
  readonly invisible: number;
  readonly blocked: number;
}

export class SqliteAccounts implements Accounts {
  readonly #connection: Connection;
  readonly #insert: Statement;
  readonly #uses: Statement<{ uses: number; spent: number }, SQLQueryBindings[]>;
  readonly #find: Statement<AccountRow, SQLQueryBindings[]>;
  readonly #findById: Statement<AccountRow, SQLQueryBindings[]>;
  readonly #list: Statement<AccountRow, SQLQueryBindings[]>;
  readonly #setPasswordHash: Statement;
  readonly #setInvisible: Statement;
  readonly #setBlocked: Statement;

  constructor(connection: Connection) {
    const { db } = connection;
    this.#connection = connection;
    this.#insert = db.prepare(`INSERT INTO accounts
      (user_id, name, password_hash, created_at_ms, invite_id, invite_slot) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`);
    this.#uses = db.prepare(`SELECT uses, (SELECT count(*) FROM accounts WHERE invite_id = ?1) AS spent
      FROM invitations WHERE invite_id = ?1 AND expires_at_ms > ?2`);
    this.#find = db.prepare("SELECT * FROM accounts WHERE name = ?1");
    this.#findById = db.prepare("SELECT * FROM accounts WHERE user_id = ?1");
    this.#list = db.prepare("SELECT * FROM accounts WHERE name > ?1 ORDER BY name LIMIT ?2");
    this.#setPasswordHash = db.prepare("UPDATE accounts SET password_hash = ?2 WHERE user_id = ?1");
    this.#setInvisible = db.prepare("UPDATE accounts SET invisible = ?2 WHERE user_id = ?1");
    this.#setBlocked = db.prepare("UPDATE accounts SET blocked = ?2 WHERE user_id = ?1");
  }

  async create(account: NewAccount, admission: Admission): Promise<void> {
    requireAccount(account);
    if (admission !== "open") requireBytes("invitation", admission.inviteId, KEY_BYTES);
    await perform(this.#connection, "create the account", () => {
      for (const [inviteId, slot] of this.#slots(account, admission)) if (this.#admit(account, inviteId, slot)) return;
      throw new StoreError("bad-invite", "cannot create the account: the invitation is unknown, expired or used up");
    });
  }

  async find(name: string): Promise<Account | null> {
    requireText("name", name, MAX_NAME_LENGTH);
    return perform(this.#connection, "find the account", () => toAccount(this.#find.get(name)));
  }

  async findById(userId: Uint8Array): Promise<Account | null> {
    requireBytes("user id", userId, ID_BYTES);
    return perform(this.#connection, "find the account", () => toAccount(this.#findById.get(userId)));
  }

  async list({ after = "", limit }: Page): Promise<readonly Account[]> {
    requireText("name", after, MAX_NAME_LENGTH);
    requirePageSize(limit);
    const rows = await perform(this.#connection, "list accounts", () => this.#list.all(after, limit));
    return rows.flatMap((row) => toAccount(row) ?? []);
  }

  async setPasswordHash(userId: Uint8Array, passwordHash: string): Promise<boolean> {
    requireText("password hash", passwordHash, MAX_PASSWORD_HASH_LENGTH);
    return this.#set(this.#setPasswordHash, userId, passwordHash);
  }

  async setInvisible(userId: Uint8Array, invisible: boolean): Promise<boolean> {
    return this.#set(this.#setInvisible, userId, invisible ? 1 : 0);
  }

  async setBlocked(userId: Uint8Array, blocked: boolean): Promise<boolean> {
    return this.#set(this.#setBlocked, userId, blocked ? 1 : 0);
  }

  /** Without an invitation an account spends its own user id, so that the unique index needs no exception. */
  *#slots(account: NewAccount, admission: Admission): Generator<[Uint8Array, number], void> {
    if (admission === "open") {
      yield [account.userId, 0];
    } else {
      const { uses, spent } = this.#uses.get(admission.inviteId, account.createdAtMs) ?? { uses: 0, spent: 0 };
      const open = spent < uses ? uses : 0;
      for (let tried = 0; tried < open; tried++) yield [admission.inviteId, (spent + tried) % uses];
    }
  }

  /** @returns false when this use of the invitation is spent */
  #admit({ userId, name, passwordHash, createdAtMs }: NewAccount, inviteId: Uint8Array, slot: number): boolean {
    try {
      this.#insert.run(userId, name, passwordHash, createdAtMs, inviteId, slot);
      return true;
    } catch (error) {
      const taken = takenColumns(error);
      if (taken === "accounts.invite_id, accounts.invite_slot") return false;
      if (taken !== "accounts.name") throw error;
      throw new StoreError("name-taken", "cannot create the account: the name is taken", {
        hint: "choose another name",
      });
    }
  }

  async #set(statement: Statement, userId: Uint8Array, value: string | number): Promise<boolean> {
    requireBytes("user id", userId, ID_BYTES);
    return perform(this.#connection, "change the account", () => statement.run(userId, value).changes > 0);
  }
}

function toAccount(row: AccountRow | null): Account | null {
  if (row === null) return null;
  return {
    userId: row.user_id,
    name: row.name,
    passwordHash: row.password_hash,
    createdAtMs: row.created_at_ms,
    invisible: row.invisible === 1,
    blocked: row.blocked === 1,
  };
}
