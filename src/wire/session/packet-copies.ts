import type { Transmit } from "../core.ts";
import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { Frame } from "../messages/session.ts";
import type { AckHomes } from "./ack-homes.ts";
import type { ControlQueue } from "./control-queue.ts";
import type { PacketWriter } from "./packet-writer.ts";
import type { Paths } from "./paths.ts";
import type { Rekey } from "./rekey.ts";
import type { Route } from "./route.ts";
import type { SendPath } from "./send-path.ts";
import type { StreamChunk } from "./sent-packets.ts";
import type { Streams } from "./streams.ts";

interface Copy {
  readonly path: SendPath;
  readonly chunks: readonly StreamChunk[];
  readonly frames: readonly Frame[];
}

const MAX_COPIES = 32;

/**
 * While a path is suspect, what control and chat say goes on it as well as on the one chosen meanwhile: whichever still works brings it
 * there. The same words in another packet, never the same packet twice.
 */
export class PacketCopies {
  readonly #paths: Paths;
  readonly #acks: AckHomes;
  readonly #rekey: Rekey;
  readonly #writer: PacketWriter;
  readonly #control: ControlQueue;
  readonly #streams: Streams;
  readonly #copies: Copy[] = [];

  constructor(
    paths: Paths,
    acks: AckHomes,
    rekey: Rekey,
    writer: PacketWriter,
    control: ControlQueue,
    streams: Streams,
  ) {
    this.#paths = paths;
    this.#acks = acks;
    this.#rekey = rekey;
    this.#writer = writer;
    this.#control = control;
    this.#streams = streams;
  }

  /** What goes on `path` is to fit into packets of 1200 bytes, as its copy will be one. */
  areMadeOf(path: SendPath): boolean {
    for (const other of this.#paths.all) if (other !== path && other.isSuspect) return true;
    return false;
  }

  /** The builder still holds what was just sent on `path`. */
  onSent(path: SendPath): void {
    const { contents } = this.#writer.builder;
    const chunks = contents.chunks.filter((chunk) => this.#streams.classOf(chunk.stream) !== "bulk");
    if (chunks.length + contents.frames.length === 0) return;
    for (const other of this.#paths.all) {
      if (other === path || !other.isSuspect || this.#copies.length >= MAX_COPIES) continue;
      this.#copies.push({ path: other, chunks, frames: [...contents.frames] });
    }
  }

  poll(now: number): Transmit<Route> | null {
    for (let copy = this.#copies.shift(); copy !== undefined; copy = this.#copies.shift()) {
      if (this.#paths.byId(copy.path.id) !== copy.path || !copy.path.isSuspect || !copy.path.maySendMessages) continue;
      const out = new Uint8Array(MIN_DATAGRAM_BYTES);
      if (this.#rekey.sealState(now) !== "open" || !this.#write(now, copy, out)) continue;
      const length = this.#writer.seal(now, copy.path);
      return { to: copy.path.route.route, bytes: out.subarray(0, length), segmentBytes: length };
    }
    return null;
  }

  /** @returns false when everything has arrived meanwhile */
  #write(now: number, { path, chunks, frames }: Copy, out: Uint8Array): boolean {
    const { builder } = this.#writer;
    builder.begin(out, 0);
    for (const frame of frames) {
      const bytes = this.#control.bytesOf(frame);
      if (bytes !== null && bytes.length <= builder.room) builder.addFrame(frame, bytes, true);
    }
    for (const chunk of chunks)
      if (this.#streams.isWanted(chunk) && builder.hasRoomFor(chunk)) builder.addChunk(chunk, this.#streams, true);
    if (builder.isEmpty) return false;
    for (const from of this.#acks.allOn(path)) builder.addAck(now, from);
    return true;
  }
}
