import { type Frame, frames } from "../messages/session.ts";
import type { ControlQueue } from "./control-queue.ts";
import type { DatagramQueue } from "./datagram-queue.ts";
import { Echoes } from "./echoes.ts";
import type { PacketBuilder } from "./packet-builder.ts";
import type { SealState } from "./key-age.ts";
import { isRekeyFrame } from "./rekey.ts";
import type { StreamChunk } from "./sent-packets.ts";
import type { Streams } from "./streams.ts";

/** What the next packet may carry. */
export interface Allowance {
  readonly state: SealState;
  /** Frames and data of control and chat streams. */
  readonly messages: boolean;
  readonly bulk: boolean;
  /** Any stream at all: not on a server's route that is to carry no user data. */
  readonly streams: boolean;
}

/** A chunk smaller than this is not worth its head, unless the packet would leave empty. Bytes. */
const MIN_CHUNK_BYTES = 32;
/** The longest frame of {@link Streams.frames}. */
const STREAM_FRAME_BYTES = 32;

/** Fills packets in order of what may wait least: control frames, control, chat, datagrams, bulk. */
export class PacketFiller {
  readonly #control: ControlQueue;
  readonly #streams: Streams;
  readonly #datagrams: DatagramQueue;
  readonly #echoes = new Echoes();

  constructor(control: ControlQueue, streams: Streams, datagrams: DatagramQueue) {
    this.#control = control;
    this.#streams = streams;
    this.#datagrams = datagrams;
  }

  fill(now: number, builder: PacketBuilder, allowance: Allowance): void {
    if (allowance.messages) this.#addControl(builder, allowance);
    if (allowance.state !== "open") return;
    if (allowance.messages) this.#addStreamFrames(builder);
    if (!allowance.streams) return;
    if (allowance.messages) this.#addMessages(now, builder);
    if (allowance.bulk && this.hasBulk()) this.#addEchoes(now, builder);
    if (allowance.bulk) this.#addChunks(now, builder, "bulk");
  }

  /** Only bulk, where nothing else waits. */
  fillBulk(now: number, builder: PacketBuilder): void {
    this.#addChunks(now, builder, "bulk");
  }

  hasAny({ state, messages, bulk, streams }: Allowance): boolean {
    if (
      messages &&
      !this.#control.isEmpty &&
      this.#control.hasAllowed((frame) => state === "open" || isRekeyFrame(frame))
    )
      return true;
    if (state !== "open") return false;
    if (messages && !this.#streams.frames.isEmpty) return true;
    return streams && ((messages && this.#hasMessages()) || (bulk && this.hasBulk()));
  }

  /** Something that may leave waits for room in window or pacer. */
  hasBulk(): boolean {
    return this.#streams.hasPending("bulk");
  }

  /** Why there is no bulk, when there is none. */
  get bulkHold(): Streams["bulkHold"] {
    return this.#streams.bulkHold;
  }

  #hasMessages(): boolean {
    return !this.#datagrams.isEmpty || this.#streams.hasPending("control") || this.#streams.hasPending("chat");
  }

  #addControl(builder: PacketBuilder, { state }: Allowance): void {
    if (this.#control.isEmpty) return;
    const isAllowed = (frame: Frame) => state === "open" || isRekeyFrame(frame);
    for (let next = this.#control.take(builder.room, isAllowed); next !== null;) {
      builder.addFrame(next.frame, next.bytes, true);
      builder.needPadding();
      next = this.#control.take(builder.room, isAllowed);
    }
  }

  #addStreamFrames(builder: PacketBuilder): void {
    while (builder.room >= STREAM_FRAME_BYTES) {
      const frame = this.#streams.frames.take();
      if (frame === null) return;
      builder.addFrame(frame, frames.encode(frame), true);
    }
  }

  #addMessages(now: number, builder: PacketBuilder): void {
    this.#addChunks(now, builder, "control");
    this.#addChunks(now, builder, "chat");
    for (let next = this.#datagrams.take(builder.room); next !== null; next = this.#datagrams.take(builder.room)) {
      builder.addFrame(next.frame, next.bytes, false);
      builder.needPadding();
    }
  }

  #addEchoes(now: number, builder: PacketBuilder): void {
    const [isWanted, fits] = [
      (chunk: StreamChunk) => this.#streams.isWanted(chunk),
      (chunk: StreamChunk) => builder.hasRoomFor(chunk),
    ];
    for (let chunk = this.#echoes.take(now, isWanted, fits); chunk !== null;) {
      builder.addChunk(chunk, this.#streams, true);
      chunk = this.#echoes.take(now, isWanted, fits);
    }
  }

  #addChunks(now: number, builder: PacketBuilder, cls: "control" | "chat" | "bulk"): void {
    while (builder.chunkRoom >= MIN_CHUNK_BYTES) {
      const chunk = this.#streams.nextChunk(cls, builder.chunkRoom);
      if (chunk === null) return;
      builder.addChunk(chunk, this.#streams, cls !== "bulk");
      if (cls !== "bulk") this.#echoes.onSent(now, chunk);
    }
  }
}
