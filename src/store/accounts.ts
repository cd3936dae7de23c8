import type { Devices } from "./devices.ts";
import type { Invitations } from "./invitations.ts";
import type { Records } from "./records.ts";

/**
 * What the server remembers of people. Every method may reject with a StoreError; a value of a wrong type or length is a
 * TypeError. Times are Unix milliseconds and come from the caller: a store has no clock and no randomness of its own.
 */
export interface AccountStore extends AsyncDisposable {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly invitations: Invitations;
  readonly blocks: Blocks;
  readonly resets: PasswordResets;
  /** All of the above as it is kept, to move it to another store. */
  readonly records: Records;
  /** A number that only rises; a store that has a lower one than was last written down was restored from a backup. */
  generation(): Promise<number>;
  /** Raises the generation above its present value and above `above`. @returns the new generation */
  bumpGeneration(above?: number): Promise<number>;
  /** Drops what has expired. Nothing depends on it: expiry is checked on each read. */
  sweep(nowMs: number): Promise<void>;
  /** Looks at all of the store. @returns the problems found, one line each; empty when it is sound */
  check(): Promise<readonly string[]>;
}

export interface Account {
  /** 16 random bytes: the identity that survives everything. */
  readonly userId: Uint8Array;
  /** Lower case, unique; the caller has checked the grammar. */
  readonly name: string;
  /** In PHC form (`$argon2id$v=19$…`), which carries method and version. */
  readonly passwordHash: string;
  readonly createdAtMs: number;
  /** Not shown in the directory, by the person's own wish. */
  readonly invisible: boolean;
  /** Shut out by the operator. */
  readonly blocked: boolean;
}

export type NewAccount = Omit<Account, "invisible" | "blocked">;

/** By what right an account is made: one use of an invitation (SHA-256 of its secret, 32 bytes), or open registration. */
export type Admission = { readonly inviteId: Uint8Array } | "open";

export interface Page {
  /** The last name of the page before; absent for the first. */
  readonly after?: string;
  /** 1–1 000. */
  readonly limit: number;
}

export interface Accounts {
  /**
   * Takes the name and one use of the invitation in a single step: both or neither.
   * @throws StoreError `bad-invite` when unknown, used up or expired at `createdAtMs` (told before anything about the name), `name-taken`,
   * `bad-name` when not in lower case
   */
  create(account: NewAccount, admission: Admission): Promise<void>;
  find(name: string): Promise<Account | null>;
  findById(userId: Uint8Array): Promise<Account | null>;
  /** In order of name. */
  list(page: Page): Promise<readonly Account[]>;
  /** @returns false when there is no such account, as do the two below */
  setPasswordHash(userId: Uint8Array, passwordHash: string): Promise<boolean>;
  setInvisible(userId: Uint8Array, invisible: boolean): Promise<boolean>;
  /** Only marks the account; to end what is signed in, revoke its devices too. */
  setBlocked(userId: Uint8Array, blocked: boolean): Promise<boolean>;
}

/** Who wants to hear nothing of whom. */
export interface Blocks {
  /** Adding twice is the same as once. */
  add(userId: Uint8Array, blockedUserId: Uint8Array): Promise<void>;
  /** @returns false when there was no such block */
  remove(userId: Uint8Array, blockedUserId: Uint8Array): Promise<boolean>;
  /** The user ids that this person has blocked. */
  list(userId: Uint8Array): Promise<readonly Uint8Array[]>;
  isBlocked(userId: Uint8Array, blockedUserId: Uint8Array): Promise<boolean>;
}

export interface PasswordReset {
  /** SHA-256 of the secret in the reset line, 32 bytes. */
  readonly tokenHash: Uint8Array;
  readonly userId: Uint8Array;
  readonly expiresAtMs: number;
}

/** One-time password resets that the operator hands out. */
export interface PasswordResets {
  create(reset: PasswordReset): Promise<void>;
  /** @returns whose password may be set now: once per token; null when unknown, expired, cancelled or redeemed before */
  redeem(tokenHash: Uint8Array, nowMs: number): Promise<Uint8Array | null>;
  /** Withdraws all that a person has open. */
  cancel(userId: Uint8Array): Promise<void>;
}
