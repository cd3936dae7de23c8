import { type Binary, MongoBulkWriteError } from "mongodb";
import { toHex } from "../../wire/bytes.ts";
import type { Collections } from "./collections.ts";
import type { Connection } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { bytesIn, type DeviceDocument } from "./documents.ts";
import { isDuplicate } from "./errors.ts";

/**
 * Ending devices in two steps: a copy goes among the revoked ones, which decides; then the device's own document goes, which
 * frees its key and slot. A node that dies between the two leaves a document that no longer counts. So whoever reads
 * devices passes them through `living()`, which finishes what is unfinished.
 */
export class Revocation {
  readonly #connection: Pick<Connection, "collections">;

  constructor(connection: Pick<Connection, "collections">) {
    this.#connection = connection;
  }

  get #devices(): Collections["devices"] {
    return this.#connection.collections.devices;
  }

  get #revoked(): Collections["revokedDevices"] {
    return this.#connection.collections.revokedDevices;
  }

  /** @returns false when somebody else has revoked it */
  async revoke(device: DeviceDocument, nowMs: number, call: CallOptions): Promise<boolean> {
    const isFirst = await this.#insertOne(device, nowMs, call);
    await this.#devices.deleteOne({ _id: device._id }, call);
    return isFirst;
  }

  /** @returns how many of them nobody else had revoked */
  async revokeMany(devices: readonly DeviceDocument[], nowMs: number, call: CallOptions): Promise<number> {
    const copies = devices.map((device) => ({ ...device, revokedAtMs: nowMs }));
    const count = await this.#insertMany(copies, call);
    await this.forget(devices, call);
    return count;
  }

  /** Those of the devices that are not revoked. */
  async living(devices: readonly DeviceDocument[], call: CallOptions): Promise<readonly DeviceDocument[]> {
    if (devices.length === 0) return [];
    const ids = devices.map(({ _id }) => _id);
    const found = await this.#revoked.find({ _id: { $in: ids } }, { ...call, projection: { _id: 1 } }).toArray();
    if (found.length === 0) return devices;
    await this.forget(found, call);
    const gone = new Set(found.map(({ _id }) => toHex(bytesIn(_id))));
    return devices.filter(({ _id }) => !gone.has(toHex(bytesIn(_id))));
  }

  /** Removes the documents of devices that are revoked. */
  async forget(devices: readonly { readonly _id: Binary }[], call: CallOptions): Promise<void> {
    await this.#devices.deleteMany({ _id: { $in: devices.map(({ _id }) => _id) } }, call);
  }

  async #insertOne(device: DeviceDocument, nowMs: number, call: CallOptions): Promise<boolean> {
    try {
      await this.#revoked.insertOne({ ...device, revokedAtMs: nowMs }, call);
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      return false;
    }
  }

  async #insertMany(copies: (DeviceDocument & { revokedAtMs: number })[], call: CallOptions): Promise<number> {
    try {
      return (await this.#revoked.insertMany(copies, { ...call, ordered: false })).insertedCount;
    } catch (error) {
      if (!isDuplicate(error) || !(error instanceof MongoBulkWriteError)) throw error;
      return error.insertedCount;
    }
  }
}
