export interface Invitation {
  /** SHA-256 of the 16-byte secret in the join line, 32 bytes. */
  readonly inviteId: Uint8Array;
  /** How many accounts it admits, 1–10 000. */
  readonly uses: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The user id of who made it; null for the operator. */
  readonly createdBy: Uint8Array | null;
}

export type InvitationState = Invitation & {
  /** Accounts admitted so far; a use is spent by `Accounts.create()` alone. */
  readonly spent: number;
};

export interface Invitations {
  create(invitation: Invitation): Promise<void>;
  /** @returns null when unknown or expired */
  find(inviteId: Uint8Array, nowMs: number): Promise<InvitationState | null>;
  /** Those not yet expired, oldest first, used up or not. */
  list(nowMs: number): Promise<readonly InvitationState[]>;
}
