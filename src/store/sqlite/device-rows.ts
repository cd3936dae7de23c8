import type { Device } from "../devices.ts";

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
