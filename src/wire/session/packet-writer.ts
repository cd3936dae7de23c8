import type { Transmit } from "../core.ts";
import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import { frames } from "../messages/session.ts";
import type { Indexes } from "./indexes.ts";
import { PacketBuilder } from "./packet-builder.ts";
import type { Check } from "./path-challenges.ts";
import { CHECKS_PATH } from "./path-id.ts";
import type { Rekey } from "./rekey.ts";
import type { Route } from "./route.ts";
import type { SendPath } from "./send-path.ts";
import type { Tracer } from "./tracer.ts";

/** Turns what the builder holds into sealed packets with numbers of their own. Nothing else seals. */
export class PacketWriter {
  readonly builder = new PacketBuilder();
  readonly #rekey: Rekey;
  readonly #indexes: Indexes;
  readonly #tracer: Tracer | null;
  #nextCheck = 0;
  sentBytes = 0;

  constructor(rekey: Rekey, indexes: Indexes, tracer: Tracer | null) {
    this.#rekey = rekey;
    this.#indexes = indexes;
    this.#tracer = tracer;
  }

  /** Checks sent so far. */
  get checkPackets(): number {
    return this.#nextCheck;
  }

  /** Seals for a path, which remembers what was in it. @returns the packet's length */
  seal(now: number, path: SendPath): number {
    const length = this.#seal(now, path.id, path.nextNumber());
    path.onSent(now, length, this.builder.contents, this.builder.asksForAck);
    return length;
  }

  /** Seals a packet that is to show how long it may be. @returns its length */
  sealSizeProbe(now: number, path: SendPath): number {
    const number = path.nextNumber();
    const length = this.#seal(now, path.id, number);
    path.onSizeProbeSent(now, number, length);
    return length;
  }

  /** A check in a packet of its own. Path 0 has one row of numbers for all routes. */
  check(now: number, { route, frame, paddedTo }: Check): Transmit<Route> {
    const out = new Uint8Array(MIN_DATAGRAM_BYTES);
    this.builder.begin(out, 0);
    this.builder.addFrame(frame, frames.encode(frame), false);
    if (paddedTo > 0) this.builder.padTo(paddedTo);
    const length = this.#seal(now, CHECKS_PATH, this.#nextCheck++);
    return { to: route, bytes: out.subarray(0, length), segmentBytes: length };
  }

  #seal(now: number, pathId: number, number: number): number {
    if (this.#rekey.sealState(now) === "restricted") this.#rekey.onRestrictedPacket();
    this.#tracer?.packetWritten(this.builder.plaintext);
    const length = this.builder.seal(this.#rekey.ring.sending, this.#indexes.remote, pathId, number);
    this.#tracer?.packetSent(pathId, number, length);
    this.sentBytes += length;
    return length;
  }
}
