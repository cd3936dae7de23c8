import { bytes, text } from "../codec/fields.ts";
import { message, table, type AnyOf } from "../codec/schema.ts";

const specs = {
  challenge: message(0x01, { nonce: bytes(32) }), // server → peer, first on the socket
  bind: message(0x02, { leg: bytes(16), mac: bytes(32) }), // peer → server: HMAC-SHA-256(leg key, "p2p leg" ‖ nonce ‖ leg)
  bound: message(0x03, {}), // server → peer; from here on the socket carries sealed packets, several whole ones to a message
  refused: message(0x04, { code: text(32) }), // server → peer, then it closes
};

/** PROTOCOL.md §8. How a WebSocket becomes a relay leg. */
export const relay = table("relay", specs, 256);
export type RelayMessage = AnyOf<typeof specs>;
