import type { Account, Accounts, Admission, NewAccount, Page } from "../accounts.ts";
import { requireAccount, requireBytes, requirePageSize, requireText } from "../checks.ts";
import { StoreError } from "../errors.ts";
import { ID_BYTES, KEY_BYTES, MAX_NAME_LENGTH, MAX_PASSWORD_HASH_LENGTH } from "../limits.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { type AccountDocument, binary, bytesIn } from "./documents.ts";
import { isDuplicate } from "./errors.ts";

export class MongoAccounts implements Accounts {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get #accounts(): Collections["accounts"] {
    return this.#connection.collections.accounts;
  }

  get #invitations(): Collections["invitations"] {
    return this.#connection.collections.invitations;
  }

  async create(account: NewAccount, admission: Admission): Promise<void> {
    requireAccount(account);
    if (admission !== "open") requireBytes("invitation", admission.inviteId, KEY_BYTES);
    await perform(this.#connection, "create the account", async (call) => {
      if (admission === "open") await this.#admitOpenly(account, call);
      else await this.#admitInvited(account, admission.inviteId, call);
    });
  }

  async find(name: string): Promise<Account | null> {
    requireText("name", name, MAX_NAME_LENGTH);
    const work = (call: CallOptions) => this.#accounts.findOne({ name }, call);
    return toAccount(await perform(this.#connection, "find the account", work));
  }

  async findById(userId: Uint8Array): Promise<Account | null> {
    const _id = binary(requireBytes("user id", userId, ID_BYTES));
    const work = (call: CallOptions) => this.#accounts.findOne({ _id }, call);
    return toAccount(await perform(this.#connection, "find the account", work));
  }

  async list({ after = "", limit }: Page): Promise<readonly Account[]> {
    requireText("name", after, MAX_NAME_LENGTH);
    requirePageSize(limit);
    const options = { sort: { name: 1 }, limit } as const;
    const found = await perform(this.#connection, "list accounts", (call) =>
      this.#accounts.find({ name: { $gt: after } }, { ...call, ...options }).toArray(),
    );
    return found.flatMap((document) => toAccount(document) ?? []);
  }

  async setPasswordHash(userId: Uint8Array, passwordHash: string): Promise<boolean> {
    requireText("password hash", passwordHash, MAX_PASSWORD_HASH_LENGTH);
    return this.#set(userId, { passwordHash });
  }

  async setInvisible(userId: Uint8Array, invisible: boolean): Promise<boolean> {
    return this.#set(userId, { invisible });
  }

  async setBlocked(userId: Uint8Array, blocked: boolean): Promise<boolean> {
    return this.#set(userId, { blocked });
  }

  async #admitOpenly(account: NewAccount, call: CallOptions): Promise<void> {
    const duplicate = await this.#insert(account, account.userId, 0, call);
    if (duplicate !== null) throw duplicate; // the same user id twice
  }

  /** Any free slot, by the random user id, so that people who come at once seldom meet; whoever is beaten to it looks again. */
  async #admitInvited(account: NewAccount, inviteId: Uint8Array, call: CallOptions): Promise<void> {
    for (let round = 0; ; round++) {
      const free = await this.#freeSlots(inviteId, account.createdAtMs, call);
      const slot = free[chanceIn(account.userId, round) % Math.max(1, free.length)];
      if (slot === undefined) throw refusedInvitation();
      if ((await this.#insert(account, inviteId, slot, call)) === null) return;
    }
  }

  /** None when the invitation is unknown or expired. */
  async #freeSlots(inviteId: Uint8Array, atMs: number, call: CallOptions): Promise<readonly number[]> {
    const id = binary(inviteId);
    const invitation = await this.#invitations.findOne({ _id: id, expiresAtMs: { $gt: atMs } }, call);
    if (invitation === null) return [];
    const options = { ...call, projection: { inviteSlot: 1 } } as const;
    const spent = await this.#accounts.find({ inviteId: id }, options).toArray();
    const taken = new Set(spent.map(({ inviteSlot }) => inviteSlot));
    return Array.from({ length: invitation.uses }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  }

  /**
   * The whole account is this one document. Which unique index refused it not every database tells, but it can be seen.
   * @returns null when it is in, else the error when this use of the invitation is spent
   * @throws StoreError `name-taken`
   */
  async #insert(account: NewAccount, inviteId: Uint8Array, inviteSlot: number, call: CallOptions): Promise<unknown> {
    try {
      await this.#accounts.insertOne(toDocument(account, inviteId, inviteSlot), call);
      return null;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      if ((await this.#accounts.findOne({ name: account.name }, call)) === null) return error;
      const hint = "choose another name";
      throw new StoreError("name-taken", "cannot create the account: the name is taken", { hint });
    }
  }

  async #set(userId: Uint8Array, fields: Partial<AccountDocument>): Promise<boolean> {
    const _id = binary(requireBytes("user id", userId, ID_BYTES));
    const work = (call: CallOptions) => this.#accounts.updateOne({ _id }, { $set: fields }, call);
    return (await perform(this.#connection, "change the account", work)).matchedCount > 0;
  }
}

function refusedInvitation(): StoreError {
  return new StoreError("bad-invite", "cannot create the account: the invitation is unknown, expired or used up");
}

/** Two of the bytes, others in each round. */
function chanceIn(userId: Uint8Array, round: number): number {
  return (userId[round % ID_BYTES] ?? 0) * 256 + (userId[(round + 1) % ID_BYTES] ?? 0);
}

function toDocument(account: NewAccount, inviteId: Uint8Array, inviteSlot: number): AccountDocument {
  const { userId, name, passwordHash, createdAtMs } = account;
  const kept = { _id: binary(userId), name, passwordHash, createdAtMs, invisible: false, blocked: false };
  return { ...kept, inviteId: binary(inviteId), inviteSlot };
}

function toAccount(document: AccountDocument | null): Account | null {
  if (document === null) return null;
  const { _id, name, passwordHash, createdAtMs, invisible, blocked } = document;
  return { userId: bytesIn(_id), name, passwordHash, createdAtMs, invisible, blocked };
}
