import { bool, bytes, list, text, u16, u32, u53, u8, upTo } from "../codec/fields.ts";
import { message, table, type AnyOf } from "../codec/schema.ts";

/** Frame numbers whose frames are written and read in place by the session; they stand here so that nobody gives them twice. */
export const hotFrames = {
  /** `[1, path, largest, delayUs, first, [gap, length, …]]`: as RFC 9000 §19.3, the ranges in one flat list. */
  ack: 1,
  /** `[2, stream, offset, fin, data]` */
  stream: 2,
} as const;

const specs = {
  ping: message(3, {}),
  datagram: message(4, { data: upTo(1_024) }), // unreliable: sent once
  maxSession: message(5, { bytes: u53 }), // credit for all bulk streams together
  maxStream: message(6, { stream: u53, bytes: u53 }), // credit for one stream
  resetStream: message(7, { stream: u53, finalBytes: u53, code: u32 }),
  stopSending: message(8, { stream: u53, code: u32 }),
  close: message(9, { code: text(32), reason: text(200) }),
  challenge: message(10, { nonce: bytes(8) }), // on path 0 only
  response: message(11, { nonce: bytes(8), address: upTo(16), port: u16 }), // on path 0 only; where the challenge was seen to come from
  /** An address of the sender that may reach it. `type`: 0 host, 1 server-reflexive, 2 port-mapped, 3 predicted. */
  candidate: message(12, { type: u8, address: upTo(16), port: u16 }),
  candidatesEnd: message(13, { generation: u32 }), // all candidates known so far were told
  spareIndexes: message(14, { indexes: list(u32, 4) }), // receiver indexes the other end may use later
  rekey: message(15, { epoch: u32, handshake: upTo(512) }), // from the initiator of the first handshake
  rekeyed: message(16, { epoch: u32, handshake: upTo(512) }), // the answer
  rekeyWanted: message(17, { epoch: u32 }), // from the other end: the initiator should start
  maxStreams: message(18, { class: u8, streams: u53 }), // so many streams of a class may be opened in all by who reads this
  abilities: message(19, { bits: u32 }), // what the sender understands beyond version 1
  /** How the sender's NAT maps IPv4: a place in `mappingKinds`, and its step plus 128. */
  mapping: message(20, { mapping: u8, step: u8 }),
  /** Sockets of the sender are open towards the reader, who may search for their ports: `how` is a place in `searches`. */
  seekMe: message(21, { round: u32, how: u8, address: upTo(16), ports: list(u16, 16) }),
  /** How the sender's network is, without an address; traversal/network-report.ts has the numbers. `wanted`: the other end is asked for its own. */
  report: message(30, { wanted: bool, hidden: bool, ipv4: u8, ipv6: u8, mapping: u8, step: u8, mappers: u8 }),
};

/** Bits of `abilities`; PROTOCOL.md §7.4. */
export const abilities = { packed: 1 } as const;

/** PROTOCOL.md §7.4. In a sealed packet, one behind the other; a nil byte between them is padding. */
export const frames = table("frames", specs, 4_096);
export type Frame = AnyOf<typeof specs>;
