import type { NewAccount } from "./accounts.ts";
import type { AttemptRule } from "./attempts.ts";
import type { NewDevice } from "./devices.ts";
import { StoreError } from "./errors.ts";
import {
  ID_BYTES,
  KEY_BYTES,
  MAX_ANSWERED_NAMES,
  MAX_COUNTER_KEY_LENGTH,
  MAX_DEVICE_LIST_BYTES,
  MAX_LABEL_LENGTH,
  MAX_NAME_LENGTH,
  MAX_NODE_ID_LENGTH,
  MAX_PAGE_ENTRIES,
  MAX_PASSWORD_HASH_LENGTH,
} from "./limits.ts";
import type { BucketRate } from "./rate-buckets.ts";
import { answerBits, type PresenceEntry, ranks } from "./presence.ts";

/** All bits at once. */
const MAX_ANSWERS = Object.values(answerBits).reduce<number>((sum, bit) => sum + bit, 0);

// The types say all this already. It is checked again because a value of another kind would be more than wrong here: an
// object handed to a database driver can become a query of its own.

/** @throws TypeError unless it is exactly so many bytes */
export function requireBytes(what: string, value: Uint8Array, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw new TypeError(`${what} is not ${length} bytes`);
  return value;
}

/** @throws TypeError unless it is at most so many bytes */
export function requireUpTo(what: string, value: Uint8Array, maxLength: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length > maxLength) {
    throw new TypeError(`${what} is not at most ${maxLength} bytes`);
  }
  return value;
}

/** @throws TypeError unless it is a string of at most so many UTF-16 units, whole characters only */
export function requireText(what: string, value: string, maxLength: number): string {
  if (typeof value !== "string" || value.length > maxLength || !value.isWellFormed()) {
    throw new TypeError(`${what} is not text of at most ${maxLength} characters`);
  }
  return value;
}

/** @throws TypeError unless it is a whole number within the bounds, both included */
export function requireInteger(what: string, value: number, lowest: number, highest: number): number {
  if (!Number.isSafeInteger(value) || value < lowest || value > highest) {
    throw new TypeError(`${what} is not a whole number from ${lowest} to ${highest}`);
  }
  return value;
}

export function requireTime(what: string, value: number): number {
  return requireInteger(what, value, 0, Number.MAX_SAFE_INTEGER);
}

export function requirePageSize(limit: number): number {
  return requireInteger("page limit", limit, 1, MAX_PAGE_ENTRIES);
}

/** @throws TypeError unless every field is of its kind and within its bounds */
export function requireEntry(entry: PresenceEntry): void {
  requireBytes("device id", entry.deviceId, ID_BYTES);
  requireBytes("device key", entry.deviceKey, KEY_BYTES);
  requireBytes("connection id", entry.connectionId, ID_BYTES);
  requireBytes("user id", entry.userId, ID_BYTES);
  requireText("name", entry.name, MAX_NAME_LENGTH);
  requireText("node id", entry.nodeId, MAX_NODE_ID_LENGTH);
  requireInteger("answers", entry.answers, 0, MAX_ANSWERS);
  requireInteger("rank", entry.rank, ranks.boundToCaller, ranks.unattended);
  requireTime("time of sign-in", entry.sinceMs);
  requireInteger("number of names answered", entry.forNames?.length ?? 0, 0, MAX_ANSWERED_NAMES);
  for (const name of entry.forNames ?? []) requireText("name answered", name, MAX_NAME_LENGTH);
}

/**
 * @throws TypeError unless every field is of its kind and within its bounds
 * @throws StoreError `bad-name` for a name that is not in lower case
 */
export function requireAccount({ userId, name, passwordHash, createdAtMs }: NewAccount): void {
  requireBytes("user id", userId, ID_BYTES);
  requireText("name", name, MAX_NAME_LENGTH);
  requireText("password hash", passwordHash, MAX_PASSWORD_HASH_LENGTH);
  requireTime("creation time", createdAtMs);
  if (name !== "" && name === name.toLowerCase()) return;
  throw new StoreError("bad-name", "cannot create the account: the name is not in lower case");
}

/** @throws TypeError unless every field is of its kind and within its bounds */
export function requireDevice(device: NewDevice): void {
  requireBytes("device id", device.deviceId, ID_BYTES);
  requireBytes("user id", device.userId, ID_BYTES);
  requireBytes("device key", device.key, KEY_BYTES);
  requireBytes("sign key", device.signKey, KEY_BYTES);
  requireText("label", device.label, MAX_LABEL_LENGTH);
  requireUpTo("device list", device.deviceList, MAX_DEVICE_LIST_BYTES);
  requireTime("creation time", device.createdAtMs);
}

/** @throws TypeError unless it can name a bucket, or what is tried */
export function requireCounterKey(key: string): string {
  return requireText("counter key", key, MAX_COUNTER_KEY_LENGTH);
}

/** @throws TypeError unless something can be taken at that rate */
export function requireTaking(key: string, { perSecond, burst }: BucketRate, cost: number): void {
  requireCounterKey(key);
  for (const value of [perSecond, cost]) {
    if (!Number.isFinite(value) || value < 0) throw new TypeError("a rate is below zero");
  }
  if (!Number.isFinite(burst) || burst <= 0) throw new TypeError("a burst is not above zero");
}

/** @throws TypeError unless attempts can be counted by that rule */
export function requireAttempt(key: string, { free, firstDelayMs, maxDelayMs, forgottenAfterMs }: AttemptRule): void {
  requireCounterKey(key);
  requireInteger("number of free attempts", free, 0, Number.MAX_SAFE_INTEGER);
  requireInteger("first delay", firstDelayMs, 1, Number.MAX_SAFE_INTEGER);
  requireInteger("longest delay", maxDelayMs, firstDelayMs, Number.MAX_SAFE_INTEGER);
  requireInteger("time of forgetting", forgottenAfterMs, maxDelayMs + 1, Number.MAX_SAFE_INTEGER);
}
