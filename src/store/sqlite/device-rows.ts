import { requireBytes, requireText, requireTime, requireUpTo } from "../checks.ts";
import type { Device, NewDevice } from "../devices.ts";
import { ID_BYTES, KEY_BYTES, LAST_SEEN_STEP_MS, MAX_DEVICE_LIST_BYTES, MAX_LABEL_LENGTH } from "../limits.ts";

export interface DeviceRow {
  readonly device_id: Uint8Array;
  readonly user_id: Uint8Array;
  readonly key: Uint8Array;
  readonly sign_key: Uint8Array;
  readonly label: string;
  readonly device_list: Uint8Array;
  readonly created_at_ms: number;
  readonly last_seen_at_ms: number;
  readonly revoked_at_ms: number | null;
}

export function toDevice(row: DeviceRow | null): Device | null {
  if (row === null) return null;
  return {
    deviceId: row.device_id,
    userId: row.user_id,
    key: row.key,
    signKey: row.sign_key,
    label: row.label,
    deviceList: row.device_list,
    createdAtMs: row.created_at_ms,
    lastSeenAtMs: row.last_seen_at_ms,
    revokedAtMs: row.revoked_at_ms,
  };
}

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

/** To the coarseness in which it is stored when a device was last seen. */
export function roundedDown(timeMs: number): number {
  return timeMs - (timeMs % LAST_SEEN_STEP_MS);
}
