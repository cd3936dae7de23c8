import type { Filter } from "mongodb";
import { equalBytes } from "../../wire/bytes.ts";
import { requireBytes, requireDevice, requireTime, requireUpTo } from "../checks.ts";
import type { Device, Devices, NewDevice, RevokedDevice } from "../devices.ts";
import { StoreError } from "../errors.ts";
import { ID_BYTES, KEY_BYTES, MAX_DEVICE_LIST_BYTES, MAX_DEVICES, roundedDown } from "../limits.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { toDevice, toDocument } from "./device-documents.ts";
import { binary, bytesIn, type DeviceDocument } from "./documents.ts";
import { isDuplicate } from "./errors.ts";
import { Revocation } from "./revocation.ts";

/** Devices that are revoked, or forgotten, in one call. */
const BATCH = 500;
const oldestFirst = { sort: { createdAtMs: 1, _id: 1 } } as const;

export class MongoDevices implements Devices {
  readonly #connection: Connection;
  readonly #revocation: Revocation;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#revocation = new Revocation(connection);
  }

  get #devices(): Collections["devices"] {
    return this.#connection.collections.devices;
  }

  get #revoked(): Collections["revokedDevices"] {
    return this.#connection.collections.revokedDevices;
  }

  async enrol(device: NewDevice): Promise<Device> {
    requireDevice(device);
    return perform(this.#connection, "enrol the device", async (call) => {
      for (let round = 0; ; round++) {
        const enrolled = await this.#enrolOrSeeWhy(device, round, call);
        if (enrolled !== null) return enrolled;
      }
    });
  }

  async find(deviceId: Uint8Array): Promise<Device | null> {
    const _id = binary(requireBytes("device id", deviceId, ID_BYTES));
    return perform(this.#connection, "find the device", async (call) => {
      const device = await this.#devices.findOne({ _id }, call); // first: it goes after the other has come
      const revoked = await this.#revoked.findOne({ _id }, call);
      if (revoked !== null) return toDevice(revoked, revoked.revokedAtMs);
      return device === null ? null : toDevice(device);
    });
  }

  async findByKey(key: Uint8Array): Promise<Device | null> {
    const filter = { key: binary(requireBytes("device key", key, KEY_BYTES)) };
    const [device] = await perform(this.#connection, "find the device", (call) => this.#living(filter, call));
    return device === undefined ? null : toDevice(device);
  }

  async list(userId: Uint8Array): Promise<readonly Device[]> {
    const filter = { userId: binary(requireBytes("user id", userId, ID_BYTES)) };
    const found = await perform(this.#connection, "list devices", (call) => this.#living(filter, call));
    return found.map((device) => toDevice(device));
  }

  async revoke(userId: Uint8Array, deviceId: Uint8Array, nowMs: number): Promise<boolean> {
    requireBytes("user id", userId, ID_BYTES);
    requireBytes("device id", deviceId, ID_BYTES);
    requireTime("now", nowMs);
    return perform(this.#connection, "revoke the device", async (call) => {
      const device = await this.#devices.findOne({ _id: binary(deviceId), userId: binary(userId) }, call);
      return device !== null && this.#revocation.revoke(device, nowMs, call);
    });
  }

  async revokeAll(userId: Uint8Array, nowMs: number, exceptDeviceId?: Uint8Array): Promise<readonly Uint8Array[]> {
    requireBytes("user id", userId, ID_BYTES);
    requireTime("now", nowMs);
    if (exceptDeviceId !== undefined) requireBytes("device id", exceptDeviceId, ID_BYTES);
    return perform(this.#connection, "revoke devices", async (call) => {
      const revoked: Uint8Array[] = [];
      for (const device of await this.#living({ userId: binary(userId) }, call)) {
        const deviceId = bytesIn(device._id);
        if (exceptDeviceId !== undefined && equalBytes(deviceId, exceptDeviceId)) continue;
        if (await this.#revocation.revoke(device, nowMs, call)) revoked.push(deviceId);
      }
      return revoked;
    });
  }

  async revokeEveryone(nowMs: number): Promise<number> {
    requireTime("now", nowMs);
    for (let count = 0; ;) {
      const revoked = await perform(this.#connection, "revoke devices", (call) => this.#revokeBatch(nowMs, call));
      if (revoked === null) return count;
      count += revoked;
    }
  }

  async revokedSince(sinceMs: number): Promise<readonly RevokedDevice[]> {
    requireTime("since", sinceMs);
    const options = { sort: { revokedAtMs: 1 }, projection: { userId: 1, revokedAtMs: 1 } } as const;
    const found = await perform(this.#connection, "list revoked devices", (call) =>
      this.#revoked.find({ revokedAtMs: { $gte: sinceMs } }, { ...call, ...options }).toArray(),
    );
    return found.map(({ _id, userId, revokedAtMs }) => ({
      deviceId: bytesIn(_id),
      userId: bytesIn(userId),
      revokedAtMs,
    }));
  }

  async setDeviceList(deviceId: Uint8Array, deviceList: Uint8Array): Promise<boolean> {
    const _id = binary(requireBytes("device id", deviceId, ID_BYTES));
    const fields = { deviceList: binary(requireUpTo("device list", deviceList, MAX_DEVICE_LIST_BYTES)) };
    return perform(this.#connection, "store the device list", async (call) => {
      const [device] = await this.#living({ _id }, call);
      if (device === undefined) return false;
      return (await this.#devices.updateOne({ _id }, { $set: fields }, call)).matchedCount > 0;
    });
  }

  async markSeen(deviceIds: readonly Uint8Array[], nowMs: number): Promise<void> {
    const ids = deviceIds.map((deviceId) => binary(requireBytes("device id", deviceId, ID_BYTES)));
    const lastSeenAtMs = roundedDown(requireTime("now", nowMs));
    if (ids.length === 0) return;
    const filter = { _id: { $in: ids }, lastSeenAtMs: { $lt: lastSeenAtMs } };
    await perform(this.#connection, "mark devices as seen", (call) =>
      this.#devices.updateMany(filter, { $set: { lastSeenAtMs } }, call),
    );
  }

  /** Forgets the devices revoked at `untilMs` or before. */
  async sweep(untilMs: number): Promise<void> {
    const work = (call: CallOptions) => this.#sweepBatch(untilMs, call);
    while ((await perform(this.#connection, "sweep the account store", work)) === BATCH);
  }

  async #living(filter: Filter<DeviceDocument>, call: CallOptions): Promise<readonly DeviceDocument[]> {
    const found = await this.#devices.find(filter, { ...call, ...oldestFirst }).toArray();
    return this.#revocation.living(found, call);
  }

  /** @returns null when somebody else was in the way, and it is worth another look */
  async #enrolOrSeeWhy(device: NewDevice, round: number, call: CallOptions): Promise<Device | null> {
    const [userId, key] = [binary(device.userId), binary(device.key)];
    const living = await this.#living({ $or: [{ userId }, { key }] }, call);
    const present = living.find((each) => equalBytes(bytesIn(each.key), device.key));
    if (present !== undefined) return sameDevice(toDevice(present), device);
    const document = toDocument(device, freeSlot(living, device, round));
    try {
      await this.#devices.insertOne(document, call);
      return toDevice(document);
    } catch (error) {
      if (!isDuplicate(error) || round === MAX_DEVICES) throw error;
      return null;
    }
  }

  /** @returns how many were forgotten */
  async #sweepBatch(untilMs: number, call: CallOptions): Promise<number> {
    const options = { projection: { _id: 1 }, limit: BATCH } as const;
    const old = await this.#revoked.find({ revokedAtMs: { $lte: untilMs } }, { ...call, ...options }).toArray();
    if (old.length === 0) return 0;
    await this.#revocation.forget(old, call); // else one that was left half revoked would live again
    await this.#revoked.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } }, call);
    return old.length;
  }

  /** @returns how many were revoked; null when there is none left */
  async #revokeBatch(nowMs: number, call: CallOptions): Promise<number | null> {
    const devices = await this.#devices.find({}, { ...call, limit: BATCH }).toArray();
    return devices.length === 0 ? null : this.#revocation.revokeMany(devices, nowMs, call);
  }
}

/** @throws StoreError `already-registered` unless it is this account's, with the same sign key */
function sameDevice(present: Device, device: NewDevice): Device {
  if (equalBytes(present.userId, device.userId) && equalBytes(present.signKey, device.signKey)) return present;
  throw new StoreError("already-registered", "cannot enrol the device: its key is registered already", {
    hint: "sign this device out of its other account first",
  });
}

/**
 * Any free one, by the random device id, so that devices that come at once seldom meet in one slot.
 * @throws StoreError `limited` when there is none
 */
function freeSlot(devices: readonly DeviceDocument[], { deviceId }: NewDevice, round: number): number {
  const taken = new Set(devices.map(({ slot }) => slot));
  const free = Array.from({ length: MAX_DEVICES }, (_, slot) => slot).filter((slot) => !taken.has(slot));
  const slot = free[(deviceId[round % ID_BYTES] ?? 0) % Math.max(1, free.length)];
  if (slot !== undefined) return slot;
  const hint = "revoke one with p2p devices revoke";
  throw new StoreError("limited", `cannot enrol the device: the account has ${MAX_DEVICES} devices`, { hint });
}
