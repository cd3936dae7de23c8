import type { AccountStore } from "../accounts.ts";
import type { Writer } from "./writer.ts";

/**
 * What is asked for is read here, which the memory of the system as a rule answers; what is to be written is left to `writer`, and once
 * that is done it can be read here.
 * @param reader over the same file. Both are closed with the store
 */
export function writtenBy(writer: Writer, reader: AccountStore): AccountStore {
  return {
    accounts: accounts(writer, reader),
    devices: devices(writer, reader),
    invitations: {
      create: async (invitation) => writer.write("createInvitation", invitation),
      find: async (inviteId, nowMs) => reader.invitations.find(inviteId, nowMs),
      list: async (nowMs) => reader.invitations.list(nowMs),
    },
    blocks: {
      add: async (userId, blockedUserId) => writer.write("block", userId, blockedUserId),
      remove: async (userId, blockedUserId) => writer.write("unblock", userId, blockedUserId),
      list: async (userId) => reader.blocks.list(userId),
      isBlocked: async (userId, blockedUserId) => reader.blocks.isBlocked(userId, blockedUserId),
    },
    resets: {
      create: async (reset) => writer.write("createReset", reset),
      redeem: async (tokenHash, nowMs) => writer.write("redeemReset", tokenHash, nowMs),
      cancel: async (userId) => writer.write("cancelResets", userId),
    },
    records: {
      read: (kind) => reader.records.read(kind),
      add: async (kind, rows) => writer.write("addRecords", kind, rows),
    },
    generation: async () => reader.generation(),
    bumpGeneration: async (above) => writer.write("bumpGeneration", above),
    sweep: async (nowMs) => writer.write("sweep", nowMs),
    check: async () => reader.check(),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
    },
  };
}

function accounts(writer: Writer, reader: AccountStore): AccountStore["accounts"] {
  return {
    create: async (account, admission) => writer.write("createAccount", account, admission),
    find: async (name) => reader.accounts.find(name),
    findById: async (userId) => reader.accounts.findById(userId),
    list: async (page) => reader.accounts.list(page),
    setPasswordHash: async (userId, passwordHash) => writer.write("setPasswordHash", userId, passwordHash),
    setInvisible: async (userId, invisible) => writer.write("setInvisible", userId, invisible),
    setBlocked: async (userId, blocked) => writer.write("setBlocked", userId, blocked),
  };
}

function devices(writer: Writer, reader: AccountStore): AccountStore["devices"] {
  return {
    enrol: async (device) => writer.write("enrol", device),
    find: async (deviceId) => reader.devices.find(deviceId),
    findByKey: async (key) => reader.devices.findByKey(key),
    list: async (userId) => reader.devices.list(userId),
    revoke: async (userId, deviceId, nowMs) => writer.write("revoke", userId, deviceId, nowMs),
    revokeAll: async (userId, nowMs, exceptDeviceId) => writer.write("revokeAll", userId, nowMs, exceptDeviceId),
    revokeEveryone: async (nowMs) => writer.write("revokeEveryone", nowMs),
    revokedSince: async (sinceMs) => reader.devices.revokedSince(sinceMs),
    setDeviceList: async (deviceId, deviceList) => writer.write("setDeviceList", deviceId, deviceList),
    markSeen: async (deviceIds, nowMs) => writer.write("markSeen", deviceIds, nowMs),
  };
}
