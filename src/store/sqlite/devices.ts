import type { SQLQueryBindings, Statement } from "bun:sqlite";
import { equalBytes } from "../../wire/bytes.ts";
import { requireBytes, requireDevice, requireTime, requireUpTo } from "../checks.ts";
import type { Device, Devices, NewDevice, RevokedDevice } from "../devices.ts";
import { StoreError } from "../errors.ts";
import { ID_BYTES, KEY_BYTES, MAX_DEVICE_LIST_BYTES, MAX_DEVICES, roundedDown } from "../limits.ts";
import { type Connection, perform, takenColumns } from "./connection.ts";
import { type DeviceRow, toDevice } from "./device-rows.ts";

type Select = Statement<DeviceRow, SQLQueryBindings[]>;

export class SqliteDevices implements Devices {
  readonly #connection: Connection;
  readonly #insert: Select;
  readonly #find: Select;
  readonly #findByKey: Select;
  readonly #list: Select;
  readonly #revoke: Select;
  readonly #revokeAll: Select;
  readonly #revokeEveryone: Statement;
  readonly #revokedSince: Statement<DeviceRow & { revoked_at_ms: number }, SQLQueryBindings[]>;
  readonly #setDeviceList: Statement;
  readonly #markSeen: Statement;

  constructor(connection: Connection) {
    const { db } = connection;
    this.#connection = connection;
    this.#insert = db.prepare(`INSERT INTO devices
      (device_id, user_id, slot, key, sign_key, label, device_list, created_at_ms, last_seen_at_ms)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING *`);
    this.#find = db.prepare("SELECT * FROM devices WHERE device_id = ?1");
    this.#findByKey = db.prepare("SELECT * FROM devices WHERE key = ?1 AND revoked_at_ms IS NULL");
    this.#list = db.prepare(`SELECT * FROM devices WHERE user_id = ?1 AND revoked_at_ms IS NULL
      ORDER BY created_at_ms, device_id`);
    this.#revoke = db.prepare(`UPDATE devices SET revoked_at_ms = ?3
      WHERE user_id = ?1 AND device_id = ?2 AND revoked_at_ms IS NULL RETURNING *`);
    this.#revokeAll = db.prepare(`UPDATE devices SET revoked_at_ms = ?3
      WHERE user_id = ?1 AND device_id IS NOT ?2 AND revoked_at_ms IS NULL RETURNING *`);
    this.#revokeEveryone = db.prepare("UPDATE devices SET revoked_at_ms = ?1 WHERE revoked_at_ms IS NULL");
    this.#revokedSince = db.prepare("SELECT * FROM devices WHERE revoked_at_ms >= ?1 ORDER BY revoked_at_ms");
    this.#setDeviceList = db.prepare(
      "UPDATE devices SET device_list = ?2 WHERE device_id = ?1 AND revoked_at_ms IS NULL",
    );
    this.#markSeen = db.prepare(
      "UPDATE devices SET last_seen_at_ms = ?2 WHERE device_id = ?1 AND last_seen_at_ms < ?2",
    );
  }

  async enrol(device: NewDevice): Promise<Device> {
    requireDevice(device);
    return perform(this.#connection, "enrol the device", () => {
      const present = this.#present(device);
      if (present !== null) return present;
      for (let slot = 0; slot < MAX_DEVICES; slot++) {
        const enrolled = this.#insertAt(slot, device);
        if (enrolled !== null) return enrolled;
      }
      const hint = "revoke one with p2p devices revoke";
      throw new StoreError("limited", `cannot enrol the device: the account has ${MAX_DEVICES} devices`, { hint });
    });
  }

  async find(deviceId: Uint8Array): Promise<Device | null> {
    requireBytes("device id", deviceId, ID_BYTES);
    return perform(this.#connection, "find the device", () => toDevice(this.#find.get(deviceId)));
  }

  async findByKey(key: Uint8Array): Promise<Device | null> {
    requireBytes("device key", key, KEY_BYTES);
    return perform(this.#connection, "find the device", () => toDevice(this.#findByKey.get(key)));
  }

  async list(userId: Uint8Array): Promise<readonly Device[]> {
    requireBytes("user id", userId, ID_BYTES);
    const rows = await perform(this.#connection, "list devices", () => this.#list.all(userId));
    return rows.flatMap((row) => toDevice(row) ?? []);
  }

  async revoke(userId: Uint8Array, deviceId: Uint8Array, nowMs: number): Promise<boolean> {
    requireBytes("user id", userId, ID_BYTES);
    requireBytes("device id", deviceId, ID_BYTES);
    requireTime("now", nowMs);
    return perform(this.#connection, "revoke the device", () => this.#revoke.all(userId, deviceId, nowMs).length > 0);
  }

  async revokeAll(userId: Uint8Array, nowMs: number, exceptDeviceId?: Uint8Array): Promise<readonly Uint8Array[]> {
    requireBytes("user id", userId, ID_BYTES);
    requireTime("now", nowMs);
    const except = exceptDeviceId === undefined ? null : requireBytes("device id", exceptDeviceId, ID_BYTES);
    const rows = await perform(this.#connection, "revoke devices", () => this.#revokeAll.all(userId, except, nowMs));
    return rows.map((row) => row.device_id);
  }

  async revokeEveryone(nowMs: number): Promise<number> {
    requireTime("now", nowMs);
    return perform(this.#connection, "revoke devices", () => this.#revokeEveryone.run(nowMs).changes);
  }

  async revokedSince(sinceMs: number): Promise<readonly RevokedDevice[]> {
    requireTime("since", sinceMs);
    const rows = await perform(this.#connection, "list revoked devices", () => this.#revokedSince.all(sinceMs));
    return rows.map((row) => ({ deviceId: row.device_id, userId: row.user_id, revokedAtMs: row.revoked_at_ms }));
  }

  async setDeviceList(deviceId: Uint8Array, deviceList: Uint8Array): Promise<boolean> {
    requireBytes("device id", deviceId, ID_BYTES);
    requireUpTo("device list", deviceList, MAX_DEVICE_LIST_BYTES);
    const work = () => this.#setDeviceList.run(deviceId, deviceList).changes > 0;
    return perform(this.#connection, "store the device list", work);
  }

  async markSeen(deviceIds: readonly Uint8Array[], nowMs: number): Promise<void> {
    for (const deviceId of deviceIds) requireBytes("device id", deviceId, ID_BYTES);
    const seenAtMs = roundedDown(requireTime("now", nowMs));
    const markAll = this.#connection.db.transaction(() => {
      for (const deviceId of deviceIds) this.#markSeen.run(deviceId, seenAtMs);
    });
    await perform(this.#connection, "mark devices as seen", () => markAll.immediate());
  }

  /** @returns null when nobody has this key enrolled */
  #present(device: NewDevice): Device | null {
    const present = toDevice(this.#findByKey.get(device.key));
    if (present === null) return null;
    if (equalBytes(present.userId, device.userId) && equalBytes(present.signKey, device.signKey)) return present;
    throw new StoreError("already-registered", "cannot enrol the device: its key is registered already", {
      hint: "sign this device out of its other account first",
    });
  }

  /** @returns null when another device of the account is in this slot */
  #insertAt(slot: number, device: NewDevice): Device | null {
    const { deviceId, userId, key, signKey, label, deviceList, createdAtMs } = device;
    const seenAtMs = roundedDown(createdAtMs);
    try {
      return toDevice(this.#insert.get(deviceId, userId, slot, key, signKey, label, deviceList, createdAtMs, seenAtMs));
    } catch (error) {
      const taken = takenColumns(error);
      if (taken === "devices.user_id, devices.slot") return null;
      if (taken === "devices.key") return this.#present(device); // another process was faster
      throw error;
    }
  }
}
