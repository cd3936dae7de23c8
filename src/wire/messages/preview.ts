import { bytes, list, optional, record, text, u32, u53, u8, upTo } from "../codec/fields.ts";
import { message, table, type AnyOf } from "../codec/schema.ts";
import { MAX_DEVICE_LIST_BYTES, MAX_GREETING_BYTES, MAX_PREVIEW_BYTES } from "../limits.ts";

/** Overhead of Noise K around a preview: an ephemeral key and a tag. Bytes. */
const K_OVERHEAD_BYTES = 48;
const deviceList = upTo(MAX_DEVICE_LIST_BYTES);

const specs = {
  /** The payload of the Noise K message inside `ring`: what the asked device needs for its question and for the handshake. */
  preview: message(0x01, {
    versions: upTo(8),
    purpose: u8,
    secret: bytes(32),
    receiverIndex: u32,
    signKey: bytes(32),
    deviceList,
    greeting: text(MAX_GREETING_BYTES),
    offer: optional(record({ count: u32, bytes: u53, first: list(record({ name: text(255), bytes: u53 }), 4) })),
  }),
  /** The payload of both KK handshake messages. */
  introduction: message(0x02, { receiverIndex: u32, signKey: bytes(32), deviceList }),
  /** What `deviceList` holds, sealed with an Ed25519 signature of `signKey` over `list`. */
  signedList: message(0x03, { list: upTo(MAX_DEVICE_LIST_BYTES), signKey: bytes(32), signature: bytes(64) }),
  /** The signed part: the serial rises with each list of one signing device. */
  list: message(0x04, { serial: u53, devices: list(record({ key: bytes(32), signKey: bytes(32) }), 16) }),
};

/** PROTOCOL.md §6. */
export const introductions = table("introductions", specs, MAX_PREVIEW_BYTES - K_OVERHEAD_BYTES);
export type Introduction = AnyOf<typeof specs>;
export type Preview = Introduction & { kind: "preview" };
