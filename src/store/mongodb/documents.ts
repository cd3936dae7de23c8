import { Binary } from "mongodb";

// One type per collection. Ids, keys and hashes are binary; times are numbers, as everywhere in the store.

export interface AccountDocument {
  /** The user id. */
  readonly _id: Binary;
  readonly name: string;
  readonly passwordHash: string;
  readonly createdAtMs: number;
  readonly invisible: boolean;
  readonly blocked: boolean;
  /** Which use of which invitation it spent; without one its own user id, so that the unique index needs no exception. */
  readonly inviteId: Binary;
  readonly inviteSlot: number;
}

export interface DeviceDocument {
  /** The device id. */
  readonly _id: Binary;
  readonly userId: Binary;
  /** 0–15, unique within the account. */
  readonly slot: number;
  readonly key: Binary;
  readonly signKey: Binary;
  readonly label: string;
  readonly deviceList: Binary;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
}

/** Its being there is the revocation, whether or not the device's own document is gone already. */
export type RevokedDeviceDocument = DeviceDocument & { readonly revokedAtMs: number };

/** Of the time that a database's own index clears by; read by nobody else. */
interface Expiring {
  readonly expiresAtMs: number;
  readonly clearAt: Date;
}

export interface InvitationDocument extends Expiring {
  readonly _id: Binary;
  readonly uses: number;
  readonly createdAtMs: number;
  readonly createdBy: Binary | null;
}

export interface BlockDocument {
  /** The two user ids below, one after the other. */
  readonly _id: Binary;
  readonly userId: Binary;
  readonly blockedUserId: Binary;
}

export interface ResetDocument extends Expiring {
  /** The token hash. */
  readonly _id: Binary;
  readonly userId: Binary;
}

export interface RedeemedDocument extends Expiring {
  /** The token hash. */
  readonly _id: Binary;
}

export interface GenerationDocument {
  /** The generation; the highest counts. */
  readonly _id: number;
}

export interface MetaDocument {
  readonly _id: string;
  readonly version: number;
}

export function binary(bytes: Uint8Array): Binary {
  return new Binary(bytes);
}

/** A copy, without what the driver's buffer holds beside it. */
export function bytesIn({ buffer, position }: Binary): Uint8Array {
  return Uint8Array.from(buffer.subarray(0, position));
}

/**
 * The database's clock is not ours, and what clears by it must not be early.
 * @param days what others rely on stays longer than they do
 */
export function clearingAfter(expiresAtMs: number, days: number): Date {
  return new Date(Math.min(expiresAtMs + days * 86_400_000, LAST_DATE_MS));
}

/** What a Date can hold. */
const LAST_DATE_MS = 8_640_000_000_000_000;
