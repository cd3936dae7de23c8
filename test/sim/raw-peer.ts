import { PacketProtection } from "../../src/wire/packet/protection.ts";
import { epochAt, MAX_PACKET_NUMBER, packetNumberAt, pathIdAt } from "../../src/wire/packet/header.ts";
import type { SessionEvent } from "../../src/wire/session/events.ts";
import { FrameReader } from "../../src/wire/session/frame-reader.ts";
import { type Route, SERVER_ROUTE } from "../../src/wire/session/route.ts";
import { Session, type SessionOptions } from "../../src/wire/session/session.ts";
import type { Frame } from "../../src/wire/messages/session.ts";
import { SimNetwork } from "./network.ts";
import { sessionOptions } from "./pair.ts";

/** A packet the session sent, opened. */
export interface RawPacket {
  readonly path: number;
  readonly number: number;
  readonly to: Route;
  readonly frames: readonly Frame[];
  readonly bytes: number;
}

/** One handshake does for all: it is expensive, and they never meet. */
const shared = sessionOptions(new SimNetwork(1));

/** A hostile peer: it has the keys of the other end and says whatever it is told to. Never acknowledges on its own. */
export class RawPeer {
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  readonly sent: RawPacket[] = [];
  now = 0;
  readonly #protection: PacketProtection;
  readonly #remoteIndex: number;
  readonly #next = new Map<number, number>();

  /** @param isInitiator whether the session under test was the initiator of the first handshake */
  constructor(isInitiator: boolean, more: Partial<SessionOptions> = {}) {
    const [a, b] = shared;
    const [ours, its] = isInitiator ? [b, a] : [a, b];
    this.session = new Session({ ...its, ...more });
    this.#remoteIndex = its.localIndex;
    this.#protection = new PacketProtection({ epoch: 0, sealKey: ours.keys.send, openKey: ours.keys.receive });
    this.session.setServerRoute(0, true);
    this.drain();
  }

  /** A sealed packet with this plaintext, on the server's path unless told otherwise. */
  seal(plaintext: Uint8Array, path = 1, number = this.#take(path)): Uint8Array {
    const out = new Uint8Array(16 + plaintext.length + 16);
    out.set(plaintext, 16);
    this.#protection.seal(out, 0, this.#remoteIndex, path, Math.min(number, MAX_PACKET_NUMBER), plaintext.length);
    return out;
  }

  say(plaintext: Uint8Array, path = 1, from: Route = SERVER_ROUTE): void {
    this.deliver(this.seal(plaintext, path), from);
  }

  deliver(datagram: Uint8Array, from: Route = SERVER_ROUTE): void {
    this.session.handleDatagram(this.now, datagram, from);
    this.drain();
  }

  /** Lets time pass from one deadline to the next. */
  run(ms: number): void {
    const end = this.now + ms;
    this.drain();
    for (let at = this.session.pollTimeout(); at !== null && at <= end; at = this.session.pollTimeout()) {
      this.now = Math.max(this.now, at);
      this.session.handleTimeout(this.now);
      this.drain();
    }
    this.now = end;
  }

  drain(): void {
    for (let event = this.session.pollEvent(); event !== null; event = this.session.pollEvent())
      this.events.push(event);
    for (let out = this.session.pollTransmit(this.now); out !== null; out = this.session.pollTransmit(this.now))
      for (let at = 0; at < out.bytes.length; at += out.segmentBytes)
        this.#open(out.bytes.subarray(at, at + out.segmentBytes), out.to);
    for (let event = this.session.pollEvent(); event !== null; event = this.session.pollEvent())
      this.events.push(event);
  }

  get closed(): Extract<SessionEvent, { kind: "closed" }> | undefined {
    return this.events.find((event): event is Extract<SessionEvent, { kind: "closed" }> => event.kind === "closed");
  }

  #take(path: number): number {
    const number = this.#next.get(path) ?? 0;
    this.#next.set(path, number + 1);
    return number;
  }

  #open(bytes: Uint8Array, to: Route): void {
    const frames: Frame[] = [];
    const plaintext = epochAt(bytes, 0) === 0 ? this.#protection.open(bytes, 0, bytes.length) : null;
    const handler = { ack: () => undefined, stream: () => undefined, frame: (frame: Frame) => void frames.push(frame) };
    if (plaintext !== null) new FrameReader().read(plaintext, handler);
    this.sent.push({ path: pathIdAt(bytes, 0), number: packetNumberAt(bytes, 0), to, frames, bytes: bytes.length });
  }
}
