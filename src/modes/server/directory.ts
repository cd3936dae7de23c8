import type { Account, AccountStore } from "../../store/accounts.ts";
import type { Device } from "../../store/devices.ts";
import type { PresenceEntry, PresenceStore } from "../../store/presence.ts";
import { toHex } from "../../wire/bytes.ts";
import type { DeviceRecord } from "../../wire/messages/signalling.ts";
import { parseName } from "../cli/names.ts";
import type { BlockLists } from "./block-lists.ts";
import type { Clock } from "./clock.ts";
import type { Member, Message } from "./members.ts";
import { Refusal } from "./refusal.ts";
import type { Identity } from "./tokens.ts";

const MAX_PAGE = 500;

/** The open directory: whoever has an account sees who else has, and who of them is there. Who was blocked sees nobody there. */
export class Directory {
  readonly #store: AccountStore;
  readonly #presence: PresenceStore;
  readonly #blockLists: BlockLists;

  readonly #clock: Clock;

  constructor(store: AccountStore, presence: PresenceStore, blockLists: BlockLists, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#presence = presence;
    this.#blockLists = blockLists;
  }

  async list(
    asker: Identity,
    { after, limit }: Pick<Message<"listPeople">, "after" | "limit">,
  ): Promise<Pick<Message<"people">, "people" | "more">> {
    const size = Math.min(Math.max(limit, 1), MAX_PAGE);
    const accounts = await this.#store.accounts.list({ after, limit: size });
    const online = await this.#presence.online({ after, limit: size });
    const there = new Set(online.map(({ name }) => name));
    const shown = accounts.filter(({ blocked, invisible }) => !blocked && !invisible);
    const people = shown.map(async ({ userId, name }) => ({
      name,
      online: there.has(name) && !(await this.#blockLists.hasBlocked(userId, asker.userId)),
    }));
    return { people: await Promise.all(people), more: accounts.length === size };
  }

  /** @throws Refusal `no-such-person` */
  async find(asker: Identity, typedName: string): Promise<Omit<Message<"person">, "kind" | "request">> {
    const { userId, name } = await this.account(typedName);
    const devices = await this.#store.devices.list(userId);
    const hidden = await this.#blockLists.hasBlocked(userId, asker.userId);
    const entries = hidden ? [] : await this.#presence.entriesOf(userId);
    return { name, userId, devices: recordsOf(devices, entries), deviceList: newestList(devices) };
  }

  /** One's own devices. */
  async devices({ userId }: Identity): Promise<readonly DeviceRecord[]> {
    return recordsOf(await this.#store.devices.list(userId), await this.#presence.entriesOf(userId));
  }

  /** @throws Refusal `no-such-person`, for a name that nobody can have as well */
  async account(typedName: string): Promise<Account> {
    const account = await this.#store.accounts.find(nameIn(typedName));
    if (account === null || account.blocked) throw new Refusal("no-such-person", "nobody here has this name");
    return account;
  }

  /** Whether `name` is there, as `asker` may know it. */
  async isSeenOnline(asker: Identity, name: string): Promise<boolean> {
    const account = await this.#store.accounts.find(name);
    if (account === null || (await this.#blockLists.hasBlocked(account.userId, asker.userId))) return false;
    return (await this.#presence.entriesOf(account.userId)).some((entry) => !entry.invisible);
  }

  /** @throws Refusal `no-such-request` when it is none of this person's devices */
  async revoke({ userId }: Identity, deviceId: Uint8Array): Promise<void> {
    if (!(await this.#store.devices.revoke(userId, deviceId, this.#clock.unixMs())))
      throw new Refusal("no-such-request", "you have no such device");
  }

  /** @throws Refusal `no-such-person` */
  async setBlocked({ identity }: Member, name: string, blocked: boolean): Promise<Account> {
    const account = await this.account(name);
    await this.#blockLists.set(identity.userId, account.userId, blocked);
    return account;
  }
}

export function recordOf({ deviceId, key, signKey, label }: Device, online: boolean): DeviceRecord {
  return { id: deviceId, key, signKey, label, online };
}

function recordsOf(devices: readonly Device[], entries: readonly PresenceEntry[]): readonly DeviceRecord[] {
  const there = new Set(entries.filter((entry) => !entry.invisible).map((entry) => toHex(entry.deviceId)));
  return devices.map((device) => recordOf(device, there.has(toHex(device.deviceId))));
}

/** Each device came with the newest list that its person had then. */
function newestList(devices: readonly Device[]): Uint8Array {
  return devices.findLast(({ deviceList }) => deviceList.length > 0)?.deviceList ?? new Uint8Array();
}

function nameIn(typed: string): string {
  try {
    return parseName(typed);
  } catch {
    throw new Refusal("no-such-person", "nobody here has this name");
  }
}
