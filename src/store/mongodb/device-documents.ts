import { requireBytes, requireText, requireTime, requireUpTo } from "../checks.ts";
import type { Device, NewDevice } from "../devices.ts";
import { ID_BYTES, KEY_BYTES, LAST_SEEN_STEP_MS, MAX_DEVICE_LIST_BYTES, MAX_LABEL_LENGTH } from "../limits.ts";
import { binary, bytesIn, type DeviceDocument } from "./documents.ts";

/** @throws TypeError */
export function requireDevice(device: NewDevice): void {
  requireBytes("device id", device.deviceId, ID_BYTES);
  requireBytes("user id", device.userId, ID_BYTES);
  requireBytes("device key", device.key, KEY_BYTES);
  requireBytes("sign key", device.signKey, KEY_BYTES);
  requireText("label", device.label, MAX_LABEL_LENGTH);
  requireUpTo("device list", device.deviceList, MAX_DEVICE_LIST_BYTES);
  requireTime("creation time", device.createdAtMs);
}

export function toDocument(device: NewDevice, slot: number): DeviceDocument {
  const { deviceId, userId, key, signKey, label, deviceList, createdAtMs } = device;
  return {
    _id: binary(deviceId),
    userId: binary(userId),
    slot,
    key: binary(key),
    signKey: binary(signKey),
    label,
    deviceList: binary(deviceList),
    createdAtMs,
    lastSeenAtMs: roundedDown(createdAtMs),
  };
}

export function toDevice(document: DeviceDocument, revokedAtMs: number | null = null): Device {
  const { _id, userId, key, signKey, label, deviceList, createdAtMs, lastSeenAtMs } = document;
  return {
    deviceId: bytesIn(_id),
    userId: bytesIn(userId),
    key: bytesIn(key),
    signKey: bytesIn(signKey),
    label,
    deviceList: bytesIn(deviceList),
    createdAtMs,
    lastSeenAtMs,
    revokedAtMs,
  };
}

/** To the coarseness in which it is stored when a device was last seen. */
export function roundedDown(timeMs: number): number {
  return timeMs - (timeMs % LAST_SEEN_STEP_MS);
}
