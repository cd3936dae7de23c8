// What every back end promises alike. Tokens, keys and names are random or checked by the caller; these bound the rest.

/** Account, device and connection ids: random bytes chosen by the caller. */
export const ID_BYTES = 16;
/** X25519 and Ed25519 public keys, and SHA-256 hashes. */
export const KEY_BYTES = 32;
/** Unrevoked devices of one account. */
export const MAX_DEVICES = 16;
/** The newest signed device list of a person, as it came with a device. Bytes. */
export const MAX_DEVICE_LIST_BYTES = 4_096;
/** In UTF-16 units, as all lengths of text here; the grammar of names allows 32. */
export const MAX_NAME_LENGTH = 64;
export const MAX_LABEL_LENGTH = 64;
export const MAX_PASSWORD_HASH_LENGTH = 512;
export const MAX_INVITATION_USES = 10_000;
/** Rows that one page of a listing may hold. */
export const MAX_PAGE_ENTRIES = 1_000;
export const MAX_NODE_ID_LENGTH = 256;
/** Names to which one channel may limit what it answers. */
export const MAX_ANSWERED_NAMES = 16;
/** "Last seen" is rounded down to this, so that the store holds no diary and is not written at each reconnect. */
const LAST_SEEN_STEP_MS = 3_600_000;

/** How long `sweep()` leaves a revoked device, far beyond the 10 min an access token lives. */
export const REVOKED_KEPT_MS = 86_400_000;
/** One message between nodes: signalling, never bulk. */
export const MAX_BUS_MESSAGE_BYTES = 65_536;
/** What names a rate bucket, or what is tried. */
export const MAX_COUNTER_KEY_LENGTH = 256;

/** To the coarseness in which it is stored when a device was last seen. */
export function roundedDown(timeMs: number): number {
  return timeMs - (timeMs % LAST_SEEN_STEP_MS);
}
