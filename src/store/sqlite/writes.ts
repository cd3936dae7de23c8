import type { AccountStore, Admission, NewAccount, PasswordReset } from "../accounts.ts";
import type { NewDevice } from "../devices.ts";
import type { Invitation } from "../invitations.ts";
import type { RecordKind, Row } from "../records.ts";

/** All that changes an account store, under names that can be told to another thread. */
export const writes = {
  createAccount: async ({ accounts }: AccountStore, account: NewAccount, admission: Admission) =>
    accounts.create(account, admission),
  setPasswordHash: async ({ accounts }: AccountStore, userId: Uint8Array, passwordHash: string) =>
    accounts.setPasswordHash(userId, passwordHash),
  setInvisible: async ({ accounts }: AccountStore, userId: Uint8Array, invisible: boolean) =>
    accounts.setInvisible(userId, invisible),
  setBlocked: async ({ accounts }: AccountStore, userId: Uint8Array, blocked: boolean) =>
    accounts.setBlocked(userId, blocked),
  enrol: async ({ devices }: AccountStore, device: NewDevice) => devices.enrol(device),
  revoke: async ({ devices }: AccountStore, userId: Uint8Array, deviceId: Uint8Array, nowMs: number) =>
    devices.revoke(userId, deviceId, nowMs),
  revokeAll: async ({ devices }: AccountStore, userId: Uint8Array, nowMs: number, exceptDeviceId?: Uint8Array) =>
    devices.revokeAll(userId, nowMs, exceptDeviceId),
  revokeEveryone: async ({ devices }: AccountStore, nowMs: number) => devices.revokeEveryone(nowMs),
  setDeviceList: async ({ devices }: AccountStore, deviceId: Uint8Array, deviceList: Uint8Array) =>
    devices.setDeviceList(deviceId, deviceList),
  markSeen: async ({ devices }: AccountStore, deviceIds: readonly Uint8Array[], nowMs: number) =>
    devices.markSeen(deviceIds, nowMs),
  createInvitation: async ({ invitations }: AccountStore, invitation: Invitation) => invitations.create(invitation),
  block: async ({ blocks }: AccountStore, userId: Uint8Array, blockedUserId: Uint8Array) =>
    blocks.add(userId, blockedUserId),
  unblock: async ({ blocks }: AccountStore, userId: Uint8Array, blockedUserId: Uint8Array) =>
    blocks.remove(userId, blockedUserId),
  createReset: async ({ resets }: AccountStore, reset: PasswordReset) => resets.create(reset),
  redeemReset: async ({ resets }: AccountStore, tokenHash: Uint8Array, nowMs: number) =>
    resets.redeem(tokenHash, nowMs),
  cancelResets: async ({ resets }: AccountStore, userId: Uint8Array) => resets.cancel(userId),
  addRecords: async ({ records }: AccountStore, kind: RecordKind, rows: readonly Row[]) => records.add(kind, rows),
  bumpGeneration: async (store: AccountStore, above?: number) => store.bumpGeneration(above),
  sweep: async (store: AccountStore, nowMs: number) => store.sweep(nowMs),
};

type Writes = typeof writes;
export type WriteName = keyof Writes;
export type WriteArguments<Name extends WriteName> =
  Parameters<Writes[Name]> extends [AccountStore, ...infer Rest] ? Rest : never;
export type WriteResult<Name extends WriteName> = Awaited<ReturnType<Writes[Name]>>;

/** One of them as it crosses to the thread. */
export interface Call {
  readonly name: WriteName;
  readonly args: readonly unknown[];
}

/** @returns what the method of that name gives. @throws whatever it does */
export async function callOn(store: AccountStore, { name, args }: Call): Promise<unknown> {
  const outcome: unknown = Reflect.apply(writes[name], null, [store, ...args]);
  return outcome;
}
