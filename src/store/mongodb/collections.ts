import type { Collection, Db } from "mongodb";
import type {
  AccountDocument,
  BlockDocument,
  DeviceDocument,
  GenerationDocument,
  InvitationDocument,
  MetaDocument,
  RedeemedDocument,
  ResetDocument,
  RevokedDeviceDocument,
} from "./documents.ts";

export interface Collections {
  readonly accounts: Collection<AccountDocument>;
  readonly devices: Collection<DeviceDocument>;
  readonly revokedDevices: Collection<RevokedDeviceDocument>;
  readonly invitations: Collection<InvitationDocument>;
  readonly blocks: Collection<BlockDocument>;
  readonly resets: Collection<ResetDocument>;
  readonly redeemedResets: Collection<RedeemedDocument>;
  readonly generations: Collection<GenerationDocument>;
  readonly meta: Collection<MetaDocument>;
}

export function collectionsOf(db: Db): Collections {
  return {
    accounts: db.collection("accounts"),
    devices: db.collection("devices"),
    revokedDevices: db.collection("revokedDevices"),
    invitations: db.collection("invitations"),
    blocks: db.collection("blocks"),
    resets: db.collection("resets"),
    redeemedResets: db.collection("redeemedResets"),
    generations: db.collection("generations"),
    meta: db.collection("meta"),
  };
}
