export interface Device {
  /** 16 random bytes, fresh for every enrolment: what a token names, so that one from before a logout stays dead. */
  readonly deviceId: Uint8Array;
  readonly userId: Uint8Array;
  /** X25519, 32 bytes: the static key of its channels. */
  readonly key: Uint8Array;
  /** Ed25519, 32 bytes. */
  readonly signKey: Uint8Array;
  readonly label: string;
  /** The person's newest signed device list that came with this device, opaque here, ≤ 4 KiB. */
  readonly deviceList: Uint8Array;
  readonly createdAtMs: number;
  /** Rounded down to the hour. */
  readonly lastSeenAtMs: number;
  readonly revokedAtMs: number | null;
}

export type NewDevice = Omit<Device, "lastSeenAtMs" | "revokedAtMs">;

export type RevokedDevice = Pick<Device, "deviceId" | "userId"> & { readonly revokedAtMs: number };

/** Long-lived credentials: a channel whose device key is enrolled and not revoked is signed in. */
export interface Devices {
  /**
   * At most one unrevoked device has a key, over all accounts; a revoked device's key may be enrolled anew.
   * @returns the device as stored: the present one, whose id differs, when this account has both keys enrolled already
   * @throws StoreError `already-registered` when the key is another account's or goes with another sign key, `limited` at
   * 16 unrevoked devices
   */
  enrol(device: NewDevice): Promise<Device>;
  /** Revoked ones too, until they are swept. */
  find(deviceId: Uint8Array): Promise<Device | null>;
  /** Never a revoked one. */
  findByKey(key: Uint8Array): Promise<Device | null>;
  /** The unrevoked devices of a person, oldest first. */
  list(userId: Uint8Array): Promise<readonly Device[]>;
  /** @returns false when that person has no such unrevoked device */
  revoke(userId: Uint8Array, deviceId: Uint8Array, nowMs: number): Promise<boolean>;
  /** All devices of a person, or all but `exceptDeviceId`. @returns the ids revoked by this call */
  revokeAll(userId: Uint8Array, nowMs: number, exceptDeviceId?: Uint8Array): Promise<readonly Uint8Array[]>;
  /** For a store that came from an old backup: every device enrols again. @returns how many were revoked */
  revokeEveryone(nowMs: number): Promise<number>;
  /** Revoked at or after `sinceMs`, oldest first. A poll asks from a little before its last one: nodes' clocks differ. */
  revokedSince(sinceMs: number): Promise<readonly RevokedDevice[]>;
  /** @returns false when there is no such unrevoked device. Which list is newer is the caller's to know. */
  setDeviceList(deviceId: Uint8Array, deviceList: Uint8Array): Promise<boolean>;
  /** Takes many at once: each call is a write to disk. */
  markSeen(deviceIds: readonly Uint8Array[], nowMs: number): Promise<void>;
}
