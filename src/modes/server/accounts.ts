import type { Account, AccountStore, Admission } from "../../store/accounts.ts";
import type { Device } from "../../store/devices.ts";
import { equalBytes, toHex } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import { sha256 } from "../../wire/noise/primitives.ts";
import { parseName, parseNewName } from "../cli/names.ts";
import type { Log } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";
import { type Guess, GuessingGuard } from "./guessing.ts";
import type { Message } from "./members.ts";
import {
  checkNewPassword,
  hashPassword,
  isOutdatedHash,
  isSoundHash,
  normalizePassword,
  verifyPassword,
} from "./passwords.ts";
import { TokenBuckets } from "./rate-limit.ts";
import { Refusal } from "./refusal.ts";
import type { Slots } from "./slots.ts";
import type { Identity } from "./tokens.ts";

/** Who asks: what the channel has proven, and where it comes from. */
export interface Applicant {
  /** X25519. */
  readonly deviceKey: Uint8Array;
  readonly ip: string;
}

export interface AccountsOptions {
  readonly store: AccountStore;
  /** Where passwords are hashed, so many at once. */
  readonly slots: Slots;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The server's own X25519 key, which nobody else may show. */
  readonly serverKey: Uint8Array;
  readonly openRegistration: boolean;
}

/** Sign-ups of one network where nobody needs an invitation. */
const OPEN_SIGN_UPS = { perSecond: 100 / 3_600, burst: 100 };

/** Who has an account, and which devices are its. Everything rejects with a Refusal, or with a StoreError. */
export class AccountDesk {
  readonly #options: AccountsOptions;
  readonly #guard: GuessingGuard;
  readonly #signUps = new TokenBuckets(OPEN_SIGN_UPS);

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#guard = new GuessingGuard(options.clock);
  }

  /** By the channel's key alone. @throws Refusal `not-signed-in` or `revoked` */
  async signIn(applicant: Applicant): Promise<Identity> {
    const { accounts, devices } = this.#options.store;
    const device = await devices.findByKey(applicant.deviceKey);
    const account = device === null ? null : await accounts.findById(device.userId);
    if (device === null || account === null) throw new Refusal("not-signed-in", "this device is not signed in here");
    if (account.blocked) throw new Refusal("revoked", "the operator has closed this account");
    this.#guard.knows(account.name, toHex(applicant.deviceKey));
    return identityOf(account, device);
  }

  /** @throws Refusal `bad-name`, `weak-password`, `bad-invite`, `name-taken`, `already-registered`, `limited`, `busy` */
  async register(applicant: Applicant, message: Message<"register">): Promise<Identity> {
    const { store, slots, clock, random } = this.#options;
    this.#checkKeys(applicant, message.signKey);
    this.#checkAddress(applicant.ip);
    const name = parseNewName(message.name);
    const password = normalizePassword(message.password);
    checkNewPassword(password, name);
    if ((await store.devices.findByKey(applicant.deviceKey)) !== null)
      throw new Refusal("already-registered", "this device has an account already");
    const admission = await this.#admit(applicant.ip, message.invite);
    if ((await store.accounts.find(name)) !== null) throw new Refusal("name-taken", `the name "${name}" is taken`);
    const passwordHash = await hashPassword(slots, password);
    const userId = random(16);
    await store.accounts.create({ userId, name, passwordHash, createdAtMs: clock.unixMs() }, admission);
    return this.#enrolDevice(applicant, { userId, name }, message);
  }

  /** @throws Refusal `wrong-password` whatever is wrong with name or password; `limited`, `busy`, `already-registered` */
  async enrol(applicant: Applicant, message: Message<"enrol">): Promise<Identity> {
    this.#checkKeys(applicant, message.signKey);
    const account = await this.#authenticate(applicant, message.name, message.password);
    return this.#enrolDevice(applicant, account, message);
  }

  /** @returns the other devices, revoked by this. @throws Refusal as `enrol` does, and `weak-password` */
  async changePassword(
    identity: Identity,
    applicant: Applicant,
    message: Message<"changePassword">,
  ): Promise<readonly Uint8Array[]> {
    const newPassword = normalizePassword(message.newPassword);
    checkNewPassword(newPassword, identity.name);
    await this.#authenticate(applicant, identity.name, message.password);
    return this.#setPassword(identity.userId, newPassword, identity.deviceId);
  }

  /** By the operator's one-time secret. @returns all devices, revoked by this. @throws Refusal as `changePassword` does */
  async resetPassword(applicant: Applicant, message: Message<"resetPassword">): Promise<readonly Uint8Array[]> {
    const { store, clock } = this.#options;
    const guess = guessOf(applicant, parseName(message.name));
    const newPassword = normalizePassword(message.newPassword);
    this.#guard.check(guess);
    checkNewPassword(newPassword, guess.name);
    const account = await store.accounts.find(guess.name);
    const userId = account === null ? null : await store.resets.redeem(sha256(message.secret), clock.unixMs());
    if (account === null || userId === null || !equalBytes(account.userId, userId)) throw this.#wrong(guess);
    return this.#setPassword(userId, newPassword);
  }

  async #authenticate(applicant: Applicant, typedName: string, typedPassword: string): Promise<Account> {
    const { store, slots, log } = this.#options;
    const guess = guessOf(applicant, parseName(typedName));
    const password = normalizePassword(typedPassword);
    const known = await store.devices.findByKey(applicant.deviceKey);
    const account = await store.accounts.find(guess.name);
    if (known !== null && account !== null && equalBytes(known.userId, account.userId))
      this.#guard.knows(guess.name, guess.deviceKey);
    this.#guard.check(guess);
    if (account !== null && !isSoundHash(account.passwordHash))
      log.error("password-hash-damaged", { user: account.name });
    const matches = await verifyPassword(slots, password, account?.passwordHash ?? null);
    if (account === null || !matches || account.blocked) throw this.#wrong(guess);
    this.#guard.succeeded(guess);
    if (isOutdatedHash(account.passwordHash))
      await store.accounts.setPasswordHash(account.userId, await hashPassword(slots, password));
    return account;
  }

  #wrong(guess: Guess): Refusal {
    this.#guard.failed(guess);
    return new Refusal("wrong-password", "the name or the password is wrong");
  }

  async #setPassword(userId: Uint8Array, password: string, keptDeviceId?: Uint8Array): Promise<readonly Uint8Array[]> {
    const { store, slots, clock } = this.#options;
    await store.accounts.setPasswordHash(userId, await hashPassword(slots, password));
    await store.resets.cancel(userId);
    return store.devices.revokeAll(userId, clock.unixMs(), keptDeviceId);
  }

  async #enrolDevice(
    { deviceKey }: Applicant,
    account: Pick<Account, "userId" | "name">,
    { label, signKey, deviceList }: Pick<Message<"enrol">, "label" | "signKey" | "deviceList">,
  ): Promise<Identity> {
    const { store, clock, random } = this.#options;
    const createdAtMs = clock.unixMs();
    const device = {
      deviceId: random(16),
      userId: account.userId,
      key: deviceKey,
      signKey,
      label,
      deviceList,
      createdAtMs,
    };
    const enrolled = await store.devices.enrol(device);
    this.#guard.knows(account.name, toHex(deviceKey));
    return identityOf(account, enrolled);
  }

  async #admit(ip: string, invite: Uint8Array | null): Promise<Admission> {
    const { store, clock, openRegistration } = this.#options;
    if (openRegistration) return this.#admitOpenly(ip);
    const inviteId = invite === null ? null : sha256(invite);
    const found = inviteId === null ? null : await store.invitations.find(inviteId, clock.unixMs());
    if (inviteId !== null && found !== null && found.spent < found.uses) return { inviteId };
    this.#guard.addressFailed(ip);
    throw new Refusal("bad-invite", "the invitation is missing, unknown, expired or used up");
  }

  #admitOpenly(ip: string): "open" {
    const waitMs = this.#signUps.take(ip, this.#options.clock.now());
    if (waitMs > 0) throw new Refusal("limited", "too many people registered from this address", waitMs);
    return "open";
  }

  #checkAddress(ip: string): void {
    const waitMs = this.#guard.addressWaitMs(ip);
    if (waitMs > 0) throw new Refusal("limited", "too many wrong answers from this address", waitMs);
  }

  #checkKeys({ deviceKey }: Applicant, signKey: Uint8Array): void {
    const isUsable =
      !equalBytes(deviceKey, this.#options.serverKey) && deviceKey.some(Boolean) && signKey.some(Boolean);
    if (!isUsable) throw new Refusal("bad-message", "the device shows a key that cannot be its own");
  }
}

function guessOf({ deviceKey, ip }: Applicant, name: string): Guess {
  return { name, deviceKey: toHex(deviceKey), ip };
}

function identityOf({ userId, name }: Pick<Account, "userId" | "name">, { deviceId, key }: Device): Identity {
  return { userId, name, deviceId, deviceKey: key };
}
