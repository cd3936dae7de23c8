// Agreed with the other end; changing one is a protocol change.

/** The one version of everything spoken here; upper half of the second byte of every packet. */
export const PROTOCOL_VERSION = 1;
/** WebSocket subprotocol of the channel that stands for {@link PROTOCOL_VERSION}. */
export const CHANNEL_SUBPROTOCOL = "p2p1";
/** One message inside the channel, before sealing. Bytes. */
export const MAX_SIGNALLING_BYTES = 96 * 1_024;
/** Sealed packets and handshake messages in one `forward`, and in one message of a relay leg. Bytes. */
export const MAX_FORWARD_BYTES = 16_384;
/** What a session may carry each way inside the channels before it needs a relay leg. Bytes. */
export const CHANNEL_BUDGET_BYTES = 65_536;
/** Of that, what a file may take before there is a relay leg: beyond the budget packets are dropped, which is taken for the nature of the path. */
export const NARROW_BULK_BYTES = 24_576;
/** What one server node says to another at a time, before sealing. Bytes. */
export const MAX_NODE_MESSAGE_BYTES = 32_768;
/** A sealed ring preview. Bytes. */
export const MAX_PREVIEW_BYTES = 4_096;
/** A signed device list. Bytes. */
export const MAX_DEVICE_LIST_BYTES = 2_048;
export const MAX_DEVICES = 16;
/** One message on the control or chat stream, unpacked. Bytes. */
export const MAX_STREAM_MESSAGE_BYTES = 65_536;
/** UTF-8 bytes of one chat message. */
export const MAX_CHAT_BYTES = 8_192;
/** UTF-8 bytes of the greeting in a ring. */
export const MAX_GREETING_BYTES = 800;
/** Smallest UDP payload a path must carry, RFC 9000 §14. Bytes. */
export const MIN_DATAGRAM_BYTES = 1_200;
/** Discovery request and reply alike, so that an answer is never larger than its question. Bytes. */
export const DISCOVERY_BYTES = 72;
/** What a peer says over UDP to open a relay leg, and the answer, which is shorter. Bytes. */
export const LEG_REQUEST_BYTES = 156;
export const LEG_REPLY_BYTES = 60;
/** Receiver indexes that one UDP relay leg may have. */
export const MAX_LEG_INDEXES = 24;
/** One packet over a UDP relay. Bytes. */
export const MAX_RELAYED_PACKET_BYTES = 1_500;
/** One leaf of a file's block-hash tree. Bytes. */
export const BLOCK_BYTES = 1_048_576;
export const MAX_TRANSFER_ENTRIES = 1_000_000;
export const MAX_PAGE_ENTRIES = 1_000;
export const MAX_PATH_DEPTH = 64;
/** Credit of the control and the chat stream, each. Bytes. */
export const MESSAGE_STREAM_WINDOW_BYTES = 262_144;
/** Credit of all file and pipe streams of a session together. Bytes. */
export const SESSION_WINDOW_BYTES = 16 * 1_024 * 1_024;
/** Packets that may be late and still count, per path. */
export const REPLAY_WINDOW_PACKETS = 32_768;
/** A new exchange of keys is started after this many packets under one key, both directions counted … */
export const REKEY_AFTER_PACKETS = 2 ** 22;
/** … or after this time; past the next two, only what makes new keys is sealed. Milliseconds. */
export const REKEY_AFTER_MS = 120_000;
export const REJECT_AFTER_PACKETS = 2 ** 23;
export const REJECT_AFTER_MS = 180_000;
/** How long packets under the key before are still opened. Milliseconds. */
export const PREVIOUS_KEY_MS = 15_000;

// Ours alone to tune.

/** What the kernel takes in one call, be it one datagram or a burst to cut: the largest UDP payload over IPv4. */
export const MAX_BURST_BYTES = 65_507;
/** Gap between keepalives of an idle path, well under the 30 s after which many home NATs forget a mapping. Milliseconds. */
export const KEEPALIVE_MS = 15_000;
/** The same where a NAT has been seen to forget sooner. Milliseconds. */
export const SHORT_KEEPALIVE_MS = 7_000;
/** How long `--direct-only` looks for a path. Milliseconds. */
export const DIRECT_ONLY_MS = 10_000;
/** How long a session looks for one where the server does not relay. Milliseconds. */
export const NO_RELAY_MS = 30_000;
