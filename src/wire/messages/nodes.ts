import { bool, bytes, list, record, text, u16, upTo } from "../codec/fields.ts";
import { type AnyOf, message, table } from "../codec/schema.ts";
import { MAX_FORWARD_BYTES, MAX_NODE_MESSAGE_BYTES } from "../limits.ts";

const id = bytes(16);
const key = bytes(32);
const name = text(64);
const endpoint = record({ address: upTo(16), port: u16 });
/** A signed-in channel of the node that speaks of it, and where UDP discovery saw it. */
const member = record({
  connection: id,
  userId: id,
  name,
  deviceId: id,
  deviceKey: key,
  observed: list(endpoint, 8),
});
/** A message of the table `signalling`, encoded: the longest that crosses from node to node is a `forward`. */
const signalled = upTo(MAX_FORWARD_BYTES + 1_024);

const specs = {
  hello: message(0x00, { anew: bool }), // a sign of life; `anew`: I took you for gone, and have nothing of yours any more
  deliver: message(0x01, { to: id, message: signalled }), // to the node of a channel: say this to it
  /** To the node of a channel, of this device: somebody rings here; `asker` is the channel that does. */
  ringing: message(0x02, { to: id, device: id, asker: member, message: signalled }),
  crossed: message(0x03, { session: id }), // to the node of a chat ring: the person rung rings back, and that ring stands
  said: message(0x04, { from: member, message: signalled }), // to the node of a ring or pairing: an end of it said this
  observed: message(0x05, { from: member }), // to the nodes of its rings and pairings: seen somewhere else now
  left: message(0x06, { connection: id }), // this channel is not, or no longer, here
  claim: message(0x07, { from: member, session: id, peerKey: key, hidden: bool }), // whose pairing is this? the channel has named it
  hosted: message(0x08, { to: id, session: id }), // to the node of a channel: what it says of this session is for me
  revoked: message(0x09, { devices: list(id, 256) }),
  blocked: message(0x0a, { userId: id, name, otherId: id, blocked: bool }), // a person blocked another, or no longer does
};

/** PROTOCOL.md §12. What server nodes say to each other, each sealed for one node. */
export const nodeMessages = table("nodes", specs, MAX_NODE_MESSAGE_BYTES);
export type NodeMessage = AnyOf<typeof specs>;
export type MemberRecord = (NodeMessage & { kind: "said" })["from"];
