import type { NewAccount } from "../../src/store/accounts.ts";
import type { NewDevice } from "../../src/store/devices.ts";
import type { Invitation } from "../../src/store/invitations.ts";
import { answerBits, type PresenceEntry, ranks } from "../../src/store/presence.ts";

/** A Tuesday in 2026, on the hour. */
export const NOW_MS = 1_793_700_000_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

export function account(fields: Partial<NewAccount> = {}): NewAccount {
  const passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
  return { userId: randomBytes(16), name: "ana", passwordHash, createdAtMs: NOW_MS, ...fields };
}

export function device(userId: Uint8Array, fields: Partial<NewDevice> = {}): NewDevice {
  return {
    deviceId: randomBytes(16),
    userId,
    key: randomBytes(32),
    signKey: randomBytes(32),
    label: "laptop",
    deviceList: new Uint8Array(),
    createdAtMs: NOW_MS,
    ...fields,
  };
}

export function invitation(fields: Partial<Invitation> = {}): Invitation {
  const expiresAtMs = NOW_MS + 7 * DAY_MS;
  return { inviteId: randomBytes(32), uses: 1, createdAtMs: NOW_MS, expiresAtMs, createdBy: null, ...fields };
}

export function channel(name: string, fields: Partial<PresenceEntry> = {}): PresenceEntry {
  return {
    deviceId: randomBytes(16),
    deviceKey: randomBytes(32),
    connectionId: randomBytes(16),
    userId: randomBytes(16),
    name,
    answers: answerBits.chat + answerBits.files,
    forNames: null,
    rank: ranks.attended,
    invisible: false,
    nodeId: "node-a",
    sinceMs: NOW_MS,
    ...fields,
  };
}

/** The code of what `work` rejects with, or the error itself when it has none; null when `work` succeeds. */
export async function codeOfRejection(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof Error && "code" in error ? error.code : error;
}
