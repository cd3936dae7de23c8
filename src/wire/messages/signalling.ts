import { bool, bytes, list, oneOf, optional, record, text, u16, u32, u8, upTo } from "../codec/fields.ts";
import { message, table, type AnyOf } from "../codec/schema.ts";
import {
  MAX_DEVICE_LIST_BYTES,
  MAX_DEVICES,
  MAX_FORWARD_BYTES,
  MAX_PREVIEW_BYTES,
  MAX_SIGNALLING_BYTES,
} from "../limits.ts";

const id = bytes(16);
const key = bytes(32);
const name = text(64);
const password = text(1_024);
const token = text(2_048);
const label = text(64);
const code = text(32);
const deviceList = upTo(MAX_DEVICE_LIST_BYTES);

/** A device as the directory knows it: X25519 key, Ed25519 key. */
const device = record({ id, key, signKey: key, label, online: bool });
const endpoint = record({ address: upTo(16), port: u16 });

/** What a ring is about, as bits: a device says which it answers. */
export const purposes = { chat: 1, files: 2, pipe: 4, ping: 8 } as const;
export type Purpose = keyof typeof purposes;
/** Order of ringing: bound to the person who rings, a person at the screen, nobody at the screen. */
export const ranks = { bound: 0, attended: 1, unattended: 2 } as const;

const specs = {
  // Signing in. `request` is chosen by the asker, rising; the answer repeats it. Requests behind one of these in the same breath wait
  // for its outcome. A wrong answer is `failed`; the channel stays for another, five in all.
  signIn: message(0x01, { request: u32, token: optional(token) }), // peer → server: the channel's key is a registered device
  register: message(0x02, { request: u32, name, password, invite: optional(id), label, signKey: key, deviceList }), // peer → server
  enrol: message(0x03, { request: u32, name, password, label, signKey: key, deviceList }), // peer → server: another device of an account
  /** server → peer, in answer to these. Where the server does not relay, no user data goes over it. */
  signedIn: message(0x04, { request: u32, name, userId: id, deviceId: id, token, tokenLifetimeMs: u32, relays: bool }),
  renewToken: message(0x05, { request: u32 }), // peer → server; answered by signedIn
  signOut: message(0x06, { request: u32 }), // peer → server: revokes this device; done
  changePassword: message(0x07, { request: u32, password, newPassword: password }), // peer → server: all other devices are revoked; done
  resetPassword: message(0x08, { request: u32, name, secret: id, newPassword: password }), // peer → server, not signed in: the operator's reset line; done

  listDevices: message(0x10, { request: u32 }), // peer → server
  devices: message(0x11, { request: u32, devices: list(device, MAX_DEVICES) }), // server → peer
  revokeDevice: message(0x12, { request: u32, device: id }), // peer → server; done

  listPeople: message(0x20, { request: u32, after: name, limit: u16 }), // peer → server: names above `after`, one page
  people: message(0x21, { request: u32, people: list(record({ name, online: bool }), 500), more: bool }), // server → peer
  /** peer → server: replaces what was watched before; how they all are now follows in `presence`, of `everyone` those online. */
  watch: message(0x22, { names: list(name, 500), everyone: bool }),
  presence: message(0x23, { changes: list(record({ name, online: bool }), 500) }), // server → peer, at most once a second
  findPerson: message(0x24, { request: u32, name }), // peer → server
  person: message(0x25, { request: u32, name, userId: id, devices: list(device, MAX_DEVICES), deviceList }), // server → peer
  block: message(0x26, { request: u32, name, blocked: bool }), // peer → server; done

  /**
   * peer → server: present from now on, answering these purposes for these people (none named: anyone); again to change it. Answering
   * nothing makes nobody present, yet its sessions count: when both ends have named a session, its pairing is made anew.
   */
  answer: message(0x30, {
    answers: u8,
    people: list(name, 16),
    rank: u8,
    sessions: list(record({ session: id, peerKey: key }), 64),
  }),

  // Rings. The asker chooses the session id. `decline` with `declined` ends the ringing everywhere, with another code for that channel
  // alone. The first `accept` wins: `accepted` to the asker, then `observed` to both, `cancel` with `answered-elsewhere` to the others.
  // Crossing chat rings: the asker with the higher device key gets `incoming` (if it had none) and then `refused` with
  // `answered-elsewhere`: it accepts that `incoming` without a question.
  ring: message(0x40, {
    session: id,
    name,
    purpose: u8,
    previews: list(record({ device: id, sealed: upTo(MAX_PREVIEW_BYTES) }), MAX_DEVICES),
  }),
  ringing: message(0x41, { session: id }), // server → asker: a device was told
  incoming: message(0x42, { session: id, name, userId: id, device, purpose: u8, preview: upTo(MAX_PREVIEW_BYTES) }), // server → asked
  /** asked → server. `hidden`: the asker is not to be told where this end is seen. */
  accept: message(0x43, { session: id, versions: upTo(8), handshake: upTo(4_096), hidden: bool }),
  decline: message(0x44, { session: id, code }), // asked → server
  cancel: message(0x45, { session: id, code }), // asker → server → asked: stop ringing
  refused: message(0x46, { session: id, code, retryMs: u32 }), // server → asker
  accepted: message(0x47, { session: id, device: id, versions: upTo(8), handshake: upTo(4_096) }), // server → asker
  forward: message(0x48, { session: id, body: upTo(MAX_FORWARD_BYTES) }), // peer → server → peer; only the two can open body
  /** server → peer: where the other end was seen, all of it each time, perhaps nothing yet. Also the sign that the pairing stands (again). */
  observed: message(0x49, { session: id, addresses: list(endpoint, 8) }),
  hangUp: message(0x4a, { session: id, path: oneOf(["", "lan", "direct", "port-mapped", "relay-udp", "relay-ws"]) }), // peer → server
  /**
   * server → peer: `offline` when the other end's channel closed, which may come back and name the session in `answer` within an hour;
   * `peer-gone` after its `hangUp`; `no-such-session` in answer to what named a session that this channel has not.
   */
  gone: message(0x4b, { session: id, code }),
  openLeg: message(0x4c, { request: u32, session: id }), // peer → server
  /**
   * server → peer: how to bind a relay leg. `node`: HOST:PORT of the one node that knows the leg; empty: as the channel came; `ports`: where
   * it is opened over UDP.
   */
  leg: message(0x4d, { request: u32, session: id, leg: id, key, node: text(300), ports: list(u16, 4) }),

  /**
   * server → peer: from here on what this account sends over all its relay legs together is held to this rate; packets beyond it wait or
   * are lost. Said at most once for each rate that comes to hold in a session.
   */
  limited: message(0x4e, { session: id, bytesPerSecond: u32 }),

  getTicket: message(0x50, { request: u32 }), // peer → server
  /** server → peer: for UDP discovery. `node`: as of a leg. */
  ticket: message(0x51, { request: u32, ticket: id, key, lifetimeMs: u32, ports: list(u16, 4), node: text(300) }),

  done: message(0x60, { request: u32 }), // server → peer
  failed: message(0x61, { request: u32, code, message: text(500), retryMs: u32 }), // server → peer; request 0: no request in particular
  goodbye: message(0x62, { code, reconnectMs: u32 }), // server → peer, before it closes
  ping: message(0x63, {}), // either way, when nothing else was said for a while
  pong: message(0x64, {}),

  // New channel keys, by a fresh Noise IK in messages of the old one. `switched` is the peer's last message under the old keys.
  rekey: message(0x65, { handshake: upTo(256) }), // peer → server
  rekeyed: message(0x66, { handshake: upTo(256) }), // server → peer, its last under the old keys
  switched: message(0x67, {}), // peer → server
};

/** PROTOCOL.md §5. Inside the channel: one message per sealed message. */
export const signalling = table("signalling", specs, MAX_SIGNALLING_BYTES);
export type SignallingMessage = AnyOf<typeof specs>;
export type DeviceRecord = (SignallingMessage & { kind: "devices" })["devices"][number];
