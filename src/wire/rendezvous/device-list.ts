import { concat, equalBytes, utf8 } from "../bytes.ts";
import { WireError } from "../errors.ts";
import { introductions, type Introduction } from "../messages/preview.ts";
import { verifySignature, type SigningKeyPair } from "../noise/primitives.ts";

/** Both public keys of a device. */
export interface DeviceKeys {
  /** X25519. */
  readonly key: Uint8Array;
  /** Ed25519. */
  readonly signKey: Uint8Array;
}

/** What one device says about which devices belong to its person. */
export interface DeviceList {
  /** Rises with each list of one signing device; a reader refuses a lower one than it has seen. */
  readonly serial: number;
  readonly devices: readonly DeviceKeys[];
  /** Ed25519 key of the device that says so. */
  readonly signKey: Uint8Array;
}

const CONTEXT = utf8("p2p device list");

/** PROTOCOL.md §6.2. */
export function signDeviceList(signer: SigningKeyPair, serial: number, devices: readonly DeviceKeys[]): Uint8Array {
  const list = introductions.encode({ kind: "list", serial, devices });
  const signature = signer.sign(concat(CONTEXT, list));
  return introductions.encode({ kind: "signedList", list, signKey: signer.publicKey, signature });
}

/** @throws WireError `bad-message` when it is none, its signature is wrong, or the signer does not stand in it */
export function readDeviceList(bytes: Uint8Array): DeviceList {
  const { list, signKey, signature } = expectKind(introductions.decode(bytes), "signedList");
  if (!verifySignature(signKey, concat(CONTEXT, list), signature))
    throw new WireError("bad-message", "a device list with a wrong signature");
  const { serial, devices } = expectKind(introductions.decode(list), "list");
  if (!devices.some((device) => equalBytes(device.signKey, signKey)))
    throw new WireError("bad-message", "a device list without its signer");
  return { serial, devices, signKey };
}

/** @throws WireError `bad-message` */
export function expectKind<Kind extends Introduction["kind"]>(
  message: Introduction,
  kind: Kind,
): Introduction & { kind: Kind } {
  if (message.kind !== kind) throw new WireError("bad-message", `${message.kind} where ${kind} belongs`);
  return message as Introduction & { kind: Kind };
}
