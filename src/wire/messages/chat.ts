import { bytes, u53, upTo } from "../codec/fields.ts";
import { message, table, type AnyOf } from "../codec/schema.ts";
import { MAX_CHAT_BYTES } from "../limits.ts";

const id = bytes(16);

const specs = {
  /** `text` is UTF-8 as bytes, so that a broken sequence costs a replacement character and not the session. */
  text: message(0x01, { id, text: upTo(MAX_CHAT_BYTES), sentAtMs: u53 }),
  delivered: message(0x02, { id }), // the other end's program has it
  read: message(0x03, { id }), // a person has seen it; only where both want that
  typing: message(0x04, {}), // only in an unreliable frame
  leaving: message(0x05, {}), // nothing more will be written
};

/** PROTOCOL.md §9.2. On the chat stream: each message as a MessagePack binary. */
export const chat = table("chat", specs, MAX_CHAT_BYTES + 64);
export type ChatMessage = AnyOf<typeof specs>;
