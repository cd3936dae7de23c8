import type { AccountStore } from "../../store/accounts.ts";
import type { Random } from "../../wire/core.ts";
import { sha256 } from "../../wire/noise/primitives.ts";

/** What the first start hands out. */
export const FIRST_INVITATION = { uses: 10, days: 7 };
const SECRET_BYTES = 16;
const DAY_MS = 86_400_000;
const RESET_LIFETIME_MS = DAY_MS;

export interface Terms {
  /** How many people it admits. */
  readonly uses: number;
  readonly days: number;
}

/** @returns the 16 bytes for a join line; the store learns their hash alone */
export async function makeInvitation(
  store: AccountStore,
  terms: Terms,
  unixMs: number,
  random: Random,
): Promise<Uint8Array> {
  const secret = random(SECRET_BYTES);
  const invitation = {
    inviteId: sha256(secret),
    uses: terms.uses,
    createdAtMs: unixMs,
    expiresAtMs: unixMs + terms.days * DAY_MS,
    createdBy: null,
  };
  await store.invitations.create(invitation);
  return secret;
}

/** @returns the 16 bytes that let a person set a new password, once, within a day; those made before no longer do */
export async function makeReset(
  store: AccountStore,
  userId: Uint8Array,
  unixMs: number,
  random: Random,
): Promise<Uint8Array> {
  const secret = random(SECRET_BYTES);
  await store.resets.cancel(userId);
  await store.resets.create({ tokenHash: sha256(secret), userId, expiresAtMs: unixMs + RESET_LIFETIME_MS });
  return secret;
}
