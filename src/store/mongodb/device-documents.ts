import type { Device, NewDevice } from "../devices.ts";
import { roundedDown } from "../limits.ts";
import { binary, bytesIn, type DeviceDocument } from "./documents.ts";

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
