import type { Account, AccountStore } from "../../store/accounts.ts";
import { equalBytes, toHex } from "../../wire/bytes.ts";
import { sha256 } from "../../wire/noise/primitives.ts";
import { parseName } from "../cli/names.ts";
import { type Log, pii } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";
import type { Guess, GuessingGuard } from "./guessing.ts";
import {
  checkNewPassword,
  hashPassword,
  isOutdatedHash,
  isSoundHash,
  normalizePassword,
  verifyPassword,
} from "./passwords.ts";
import type { PasswordThreads } from "./password-threads.ts";
import { Refusal } from "./refusal.ts";

/** Who asks: what the channel has proven, and where it comes from. */
export interface Applicant {
  /** X25519. */
  readonly deviceKey: Uint8Array;
  readonly ip: string;
}

export interface CredentialsOptions {
  readonly store: AccountStore;
  /** Where passwords are hashed. */
  readonly passwords: PasswordThreads;
  readonly clock: Clock;
  readonly log: Log;
  readonly guard: GuessingGuard;
}

/** What somebody typed. */
export interface Typed {
  readonly name: string;
  readonly password: string;
}

/** Passwords, and the operator's one-time secrets in their place. Everything rejects with a Refusal, or with a StoreError. */
export class Credentials {
  readonly #options: CredentialsOptions;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** @throws Refusal `wrong-password` whatever is wrong with either; `limited`, `busy`, `bad-name` */
  async authenticate(applicant: Applicant, typed: Typed): Promise<Account> {
    const { store, guard } = this.#options;
    const guess = await this.#guess(applicant, typed.name);
    await guard.begin(guess);
    const account = await store.accounts.find(guess.name);
    const password = normalizePassword(typed.password);
    if (!(await this.#matches(account, password)) || account === null || account.blocked)
      throw await this.#wrong(guess);
    await guard.succeeded(guess);
    await this.#renewHash(account, password);
    return account;
  }

  /** @returns the ids of the person's other devices, revoked by this. @throws Refusal as above, and `weak-password` */
  async change(
    applicant: Applicant,
    typed: Typed,
    newPassword: string,
    keptDeviceId: Uint8Array,
  ): Promise<readonly Uint8Array[]> {
    const password = normalizePassword(newPassword);
    checkNewPassword(password, typed.name);
    const { userId } = await this.authenticate(applicant, typed);
    return this.#setPassword(userId, password, keptDeviceId);
  }

  /** By the operator's one-time secret. @returns the ids of all devices, revoked by this. @throws Refusal as `change` does */
  async reset(
    applicant: Applicant,
    typedName: string,
    secret: Uint8Array,
    newPassword: string,
  ): Promise<readonly Uint8Array[]> {
    const { store, clock, guard } = this.#options;
    const guess = await this.#guess(applicant, typedName);
    const password = normalizePassword(newPassword);
    checkNewPassword(password, guess.name);
    const hash = sha256(secret);
    // Somebody who signs in with the line of old: no guess, but no reset either.
    if ((await store.invitations.find(hash, clock.unixMs())) !== null) throw wrongPassword();
    await guard.begin(guess);
    const account = await store.accounts.find(guess.name);
    const userId = account === null ? null : await store.resets.redeem(hash, clock.unixMs());
    if (account === null || userId === null || !equalBytes(account.userId, userId)) throw await this.#wrong(guess);
    await guard.succeeded(guess);
    return this.#setPassword(userId, password);
  }

  /** A device that is signed in already is known, whatever this node has seen of it. */
  async #guess({ deviceKey, ip }: Applicant, typedName: string): Promise<Guess> {
    const { store, guard } = this.#options;
    const guess = { name: parseName(typedName), deviceKey: toHex(deviceKey), ip };
    const device = await store.devices.findByKey(deviceKey);
    const owner = device === null ? null : await store.accounts.findById(device.userId);
    if (owner?.name === guess.name) guard.knows(guess.name, guess.deviceKey);
    return guess;
  }

  async #matches(account: Account | null, password: string): Promise<boolean> {
    const { passwords, log } = this.#options;
    if (account !== null && !isSoundHash(account.passwordHash))
      log.error("password-hash-damaged", { user: pii(account.name) });
    return verifyPassword(passwords, password, account?.passwordHash ?? null);
  }

  async #renewHash({ userId, passwordHash }: Account, password: string): Promise<void> {
    const { store, passwords } = this.#options;
    if (isOutdatedHash(passwordHash))
      await store.accounts.setPasswordHash(userId, await hashPassword(passwords, password));
  }

  async #wrong(guess: Guess): Promise<Refusal> {
    const { guard, log } = this.#options;
    await guard.addressFailed(guess.ip);
    log.info("wrong-password", { user: pii(guess.name) });
    return wrongPassword();
  }

  async #setPassword(userId: Uint8Array, password: string, keptDeviceId?: Uint8Array): Promise<readonly Uint8Array[]> {
    const { store, passwords, clock } = this.#options;
    await store.accounts.setPasswordHash(userId, await hashPassword(passwords, password));
    await store.resets.cancel(userId);
    return store.devices.revokeAll(userId, clock.unixMs(), keptDeviceId);
  }
}

function wrongPassword(): Refusal {
  return new Refusal("wrong-password", "the name or the password is wrong");
}
