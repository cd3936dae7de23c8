import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { Frame } from "../messages/session.ts";
import { TAG_BYTES } from "../noise/primitives.ts";
import { SEALED_HEADER_BYTES, SEALED_OVERHEAD_BYTES } from "../packet/header.ts";
import type { PacketProtection } from "../packet/protection.ts";
import { MAX_STREAM_HEAD_BYTES, streamHeadBytes, writeAck, writeStreamHead } from "./frame-writer.ts";
import type { ReceivePath } from "./receive-path.ts";
import type { PacketContents, StreamChunk } from "./sent-packets.ts";
import type { Streams } from "./streams.ts";

/** Packets with words in them grow to a multiple of this, so that their length tells little. Bytes. */
const PADDING_STEP_BYTES = 64;
/** A nil between frames is padding. */
const NIL = 0xc0;

/** Writes one packet where it will be sent from: frames behind the room for the header, then sealed in place. */
export class PacketBuilder {
  readonly contents: PacketContents = { chunks: [], frames: [], ackPath: -1, ackLargest: 0 };
  asksForAck = false;
  #needsPadding = false;
  #out: Uint8Array = new Uint8Array();
  #start = 0;
  #at = 0;
  #end = 0;

  /** At `start` of `out`, where a packet of `maxBytes` has room. */
  begin(out: Uint8Array, start: number, maxBytes = MIN_DATAGRAM_BYTES): void {
    this.#out = out;
    this.#start = start;
    this.#at = start + SEALED_HEADER_BYTES;
    this.#end = start + maxBytes - TAG_BYTES;
    this.contents.chunks.length = this.contents.frames.length = 0;
    this.contents.ackPath = -1;
    this.asksForAck = this.#needsPadding = false;
  }

  /** All frames so far. Overwritten when the packet is sealed. */
  get plaintext(): Uint8Array {
    return this.#out.subarray(this.#start + SEALED_HEADER_BYTES, this.#at);
  }

  get isEmpty(): boolean {
    return this.#at === this.#start + SEALED_HEADER_BYTES;
  }

  /** Bytes. */
  get room(): number {
    return this.#end - this.#at;
  }

  /** The most data a stream frame can hold here. Bytes; zero or less for none. */
  get chunkRoom(): number {
    return this.room - MAX_STREAM_HEAD_BYTES;
  }

  /** As many ranges as fit. */
  addAck(now: number, path: ReceivePath): void {
    const end = writeAck(this.#out, this.#at, this.#end, path.id, path.ackDelayUs(now), path.ranges);
    if (path.ranges.count === 0) path.onAckSent();
    if (end === this.#at) return;
    this.#at = end;
    this.contents.ackPath = path.id;
    this.contents.ackLargest = path.ranges.largest;
    path.onAckSent();
  }

  /** An encoded frame that fits. `kept`: told about when the packet is acknowledged or lost. */
  addFrame(frame: Frame, bytes: Uint8Array, kept: boolean): void {
    this.#out.set(bytes, this.#at);
    this.#at += bytes.length;
    if (kept) this.contents.frames.push(frame);
    this.asksForAck = true;
  }

  addChunk(chunk: StreamChunk, streams: Streams, needsPadding: boolean): void {
    const { stream, offset, fin, length } = chunk;
    this.#at = writeStreamHead(this.#out, this.#at, stream, offset, fin, length);
    streams.copyTo(chunk, this.#out, this.#at);
    this.#at += length;
    this.contents.chunks.push(chunk);
    this.asksForAck = true;
    this.#needsPadding ||= needsPadding;
  }

  /** Whether a chunk made for another packet fits as well. */
  hasRoomFor(chunk: StreamChunk): boolean {
    return this.room >= streamHeadBytes(chunk.stream, chunk.offset, chunk.length) + chunk.length;
  }

  padTo(packetBytes: number): void {
    const end = Math.min(this.#start + packetBytes - TAG_BYTES, this.#end);
    if (end > this.#at) this.#out.fill(NIL, this.#at, end);
    this.#at = Math.max(this.#at, end);
  }

  needPadding(): void {
    this.#needsPadding = true;
  }

  /** @returns the packet's length */
  seal(protection: PacketProtection, receiverIndex: number, pathId: number, number: number): number {
    const plaintextBytes = this.#at - this.#start - SEALED_HEADER_BYTES;
    if (this.#needsPadding)
      this.padTo(Math.ceil((plaintextBytes + SEALED_OVERHEAD_BYTES) / PADDING_STEP_BYTES) * PADDING_STEP_BYTES);
    const paddedBytes = this.#at - this.#start - SEALED_HEADER_BYTES;
    return protection.seal(this.#out, this.#start, receiverIndex, pathId, number, paddedBytes);
  }
}
