import type { Random } from "../../wire/core.ts";
import { signDeviceList } from "../../wire/rendezvous/device-list.ts";
import type { Party } from "../../wire/rendezvous/session-handshake.ts";
import type { Identity } from "./identity.ts";

/** This device as others meet it. */
export interface OwnDevice extends Party {
  readonly identity: Identity;
  /** Signed by this device about itself. */
  readonly deviceList: Uint8Array;
}

/** Its first and only list so far: that other devices of the person vouch for it comes from lists with higher serials. */
const FIRST_SERIAL = 1;

export const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length));

export function ownDeviceList({ keys, signing }: Identity): Uint8Array {
  return signDeviceList(signing, FIRST_SERIAL, [{ key: keys.publicKey, signKey: signing.publicKey }]);
}

/** What stands in both handshake messages. */
export function introductionOf({ identity, deviceList }: OwnDevice, receiverIndex: number) {
  return { receiverIndex, signKey: identity.signing.publicKey, deviceList };
}

/** A receiver index of the session layer: any 32 bits. */
export function randomIndex(): number {
  return new DataView(systemRandom(4).buffer).getUint32(0);
}
