import type { Account, AccountStore, Admission } from "../../store/accounts.ts";
import type { Device } from "../../store/devices.ts";
import { equalBytes, toHex } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import { sha256 } from "../../wire/noise/primitives.ts";
import type { Limits } from "../cli/limits.ts";
import { parseNewName } from "../cli/names.ts";
import type { Log } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";
import { type Applicant, Credentials } from "./credentials.ts";
import { GuessingGuard } from "./guessing.ts";
import { perHour } from "./limits.ts";
import type { Message } from "./members.ts";
import type { PasswordThreads } from "./password-threads.ts";
import { checkNewPassword, hashPassword, normalizePassword } from "./passwords.ts";
import { Refusal } from "./refusal.ts";
import { SharedAddressBuckets, type SharedLimits } from "./shared-limits.ts";
import type { Identity } from "./tokens.ts";

export interface AccountsOptions {
  readonly store: AccountStore;
  /** Where passwords are hashed. */
  readonly passwords: PasswordThreads;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The server's own X25519 key, which nobody else may show. */
  readonly serverKey: Uint8Array;
  readonly openRegistration: boolean;
  readonly limits: Limits;
  readonly shared: SharedLimits;
}

/** Who has an account, and which devices are its. Everything rejects with a Refusal, or with a StoreError. */
export class AccountDesk {
  readonly credentials: Credentials;
  readonly #options: AccountsOptions;
  readonly #guard: GuessingGuard;
  /** Where nobody needs an invitation. */
  readonly #signUps: SharedAddressBuckets;

  constructor(options: AccountsOptions) {
    this.#options = options;
    this.#guard = new GuessingGuard(options.shared, options.limits);
    this.#signUps = new SharedAddressBuckets(
      options.shared,
      "registrations",
      perHour(options.limits["limit-registrations"]),
    );
    this.credentials = new Credentials({ ...options, guard: this.#guard });
  }

  /** By the channel's key alone. @throws Refusal `not-signed-in` or `revoked` */
  async signIn(applicant: Applicant): Promise<Identity> {
    const { accounts, devices } = this.#options.store;
    const device = await devices.findByKey(applicant.deviceKey);
    const account = device === null ? null : await accounts.findById(device.userId);
    if (device === null || account === null) throw new Refusal("not-signed-in", "this device is not signed in here");
    if (account.blocked) throw closedByOperator();
    this.#guard.knows(account.name, toHex(applicant.deviceKey));
    return identityOf(account, device);
  }

  /** @throws Refusal `bad-name`, `weak-password`, `bad-invite`, `name-taken`, `already-registered`, `limited`, `busy` */
  async register(applicant: Applicant, message: Message<"register">): Promise<Identity> {
    const { store, passwords, clock, random, log } = this.#options;
    this.#checkKeys(applicant, message.signKey);
    await this.#checkAddress(applicant.ip);
    const name = parseNewName(message.name);
    const password = normalizePassword(message.password);
    checkNewPassword(password, name);
    if ((await store.devices.findByKey(applicant.deviceKey)) !== null)
      throw new Refusal("already-registered", "this device has an account already");
    const admission = await this.#admit(applicant.ip, message.invite);
    if ((await store.accounts.find(name)) !== null) throw new Refusal("name-taken", `the name "${name}" is taken`);
    const passwordHash = await hashPassword(passwords, password);
    const userId = random(16);
    await store.accounts.create({ userId, name, passwordHash, createdAtMs: clock.unixMs() }, admission);
    log.info("account-created");
    return this.#enrolDevice(applicant, { userId, name }, message);
  }

  /** @throws Refusal as `Credentials.authenticate` does; `already-registered` for another account's device, `limited` at 16 devices */
  async enrol(applicant: Applicant, message: Message<"enrol">): Promise<Identity> {
    this.#checkKeys(applicant, message.signKey);
    const account = await this.credentials.authenticate(applicant, message);
    const identity = await this.#enrolDevice(applicant, account, message);
    await this.#checkStillOpen(account.userId);
    return identity;
  }

  /** A device that the operator's block came too early to revoke goes here. */
  async #checkStillOpen(userId: Uint8Array): Promise<void> {
    const { store, clock } = this.#options;
    if ((await store.accounts.findById(userId))?.blocked !== true) return;
    await store.devices.revokeAll(userId, clock.unixMs());
    throw closedByOperator();
  }

  async #enrolDevice(
    { deviceKey }: Applicant,
    { userId, name }: Pick<Account, "userId" | "name">,
    { label, signKey, deviceList }: Pick<Message<"enrol">, "label" | "signKey" | "deviceList">,
  ): Promise<Identity> {
    const { store, clock, random } = this.#options;
    const fresh = { deviceId: random(16), userId, key: deviceKey, createdAtMs: clock.unixMs() };
    const device = await store.devices.enrol({ ...fresh, label, signKey, deviceList });
    this.#guard.knows(name, toHex(deviceKey));
    return identityOf({ userId, name }, device);
  }

  async #admit(ip: string, invite: Uint8Array | null): Promise<Admission> {
    const { store, clock, openRegistration } = this.#options;
    if (openRegistration) return this.#admitOpenly(ip);
    const inviteId = invite === null ? null : sha256(invite);
    const found = inviteId === null ? null : await store.invitations.find(inviteId, clock.unixMs());
    if (inviteId !== null && found !== null && found.spent < found.uses) return { inviteId };
    await this.#guard.addressFailed(ip);
    throw new Refusal("bad-invite", "the invitation is missing, unknown, expired or used up");
  }

  async #admitOpenly(ip: string): Promise<"open"> {
    const waitMs = await this.#signUps.take(ip);
    if (waitMs > 0) throw new Refusal("limited", "too many people registered from this address", waitMs);
    return "open";
  }

  async #checkAddress(ip: string): Promise<void> {
    const waitMs = await this.#guard.addressWaitMs(ip);
    if (waitMs > 0) throw new Refusal("limited", "too many wrong answers from this address", waitMs);
  }

  #checkKeys({ deviceKey }: Applicant, signKey: Uint8Array): void {
    const isUsable =
      !equalBytes(deviceKey, this.#options.serverKey) && deviceKey.some(Boolean) && signKey.some(Boolean);
    if (!isUsable) throw new Refusal("bad-message", "the device shows a key that cannot be its own");
  }
}

function closedByOperator(): Refusal {
  return new Refusal("revoked", "the operator has closed this account");
}

function identityOf({ userId, name }: Pick<Account, "userId" | "name">, { deviceId, key }: Device): Identity {
  return { userId, name, deviceId, deviceKey: key };
}
