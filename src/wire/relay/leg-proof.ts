import { utf8 } from "../bytes.ts";
import { hmacSha256 } from "../noise/primitives.ts";

const CONTEXT = utf8("p2p leg");

/** What binds a relay leg: 32 bytes that only the holder of the leg's key can make for this nonce. PROTOCOL.md §8. */
export function legProof(key: Uint8Array, nonce: Uint8Array, leg: Uint8Array): Uint8Array {
  return hmacSha256(key, CONTEXT, nonce, leg);
}
