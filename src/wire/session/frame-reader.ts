import { scanValue, type ScanLimits } from "../codec/msgpack.ts";
import { WireError } from "../errors.ts";
import { type Frame, frames, hotFrames } from "../messages/session.ts";
import { MAX_PACKET_NUMBER, MAX_PATH_ID } from "../packet/header.ts";
import { MAX_ACK_RANGES } from "./ack-ranges.ts";

/** One ack, read in place; valid until the next is read. Ranges are inclusive, newest first. */
export interface AckFrame {
  readonly path: number;
  readonly delayUs: number;
  readonly count: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** What a packet says. Any of them may throw a WireError, which ends the session. */
export interface FrameHandler {
  ack(ack: AckFrame): void;
  /** Data is what lies from `from` to `to` of the packet: no view is made for each. */
  stream(stream: number, offset: number, fin: boolean, packet: Uint8Array, from: number, to: number): void;
  frame(frame: Frame): void;
  /** A frame of a kind not known here was passed over. */
  unknown?(): void;
}

const NIL = 0xc0;
/** As the message tables have them, so that both decoders refuse the same: no array is longer than the longest known, or 8 spare fields. */
const ACK_FIELDS = 6;
const STREAM_FIELDS = 5;
const ackLimits: ScanLimits = { maxDepth: 8, maxCount: 2 * MAX_ACK_RANGES };
const streamLimits: ScanLimits = { maxDepth: 8, maxCount: STREAM_FIELDS + 8 };
const otherLimits: ScanLimits = ackLimits;

/**
 * Takes the plaintext of a packet apart: frames one behind the other, nil bytes between them as padding, frames of unknown kinds
 * passed over. Whatever is not a frame throws.
 */
export class FrameReader {
  readonly #ack = {
    path: 0,
    delayUs: 0,
    count: 0,
    low: new Float64Array(MAX_ACK_RANGES + 1),
    high: new Float64Array(MAX_ACK_RANGES + 1),
  };
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  /** @throws WireError */
  read(plaintext: Uint8Array, handler: FrameHandler): void {
    this.#bytes = plaintext;
    this.#at = 0;
    while (this.#at < plaintext.length) {
      if (plaintext[this.#at] === NIL) this.#at++;
      else this.#readFrame(handler);
    }
  }

  #readFrame(handler: FrameHandler): void {
    const start = this.#at;
    const count = this.#arrayHead();
    const kind = this.#uint(0x7f);
    if (kind === hotFrames.ack) this.#readAck(count, handler);
    else if (kind === hotFrames.stream) this.#readStream(count, handler);
    else this.#readOther(start, handler);
  }

  #readAck(count: number, handler: FrameHandler): void {
    refuseCount(count, ACK_FIELDS, ackLimits);
    const ack = this.#ack;
    ack.path = this.#uint(MAX_PATH_ID);
    let high = this.#uint(MAX_PACKET_NUMBER);
    ack.delayUs = this.#uint(0xffff_ffff);
    let low = high - this.#uint(MAX_PACKET_NUMBER);
    const edges = this.#arrayHead();
    if (edges % 2 !== 0 || edges > 2 * MAX_ACK_RANGES) throw malformed("ranges of an ack");
    ack.count = 1 + edges / 2;
    for (let index = 0; ; index++) {
      if (low < 0) throw malformed("an ack of numbers below zero");
      ack.high[index] = high;
      ack.low[index] = low;
      if (index === edges / 2) break;
      high = low - this.#uint(MAX_PACKET_NUMBER) - 2;
      low = high - this.#uint(MAX_PACKET_NUMBER);
    }
    this.#skip(count - ACK_FIELDS, ackLimits);
    handler.ack(ack);
  }

  #readStream(count: number, handler: FrameHandler): void {
    refuseCount(count, STREAM_FIELDS, streamLimits);
    const stream = this.#uint(Number.MAX_SAFE_INTEGER);
    const offset = this.#uint(Number.MAX_SAFE_INTEGER);
    const fin = this.#bool();
    const length = this.#binaryHead();
    const from = this.#at;
    this.#at += length;
    this.#skip(count - STREAM_FIELDS, streamLimits);
    handler.stream(stream, offset, fin, this.#bytes, from, from + length);
  }

  #readOther(start: number, handler: FrameHandler): void {
    let decoded: ReturnType<typeof frames.decodeAt> | null = null;
    try {
      decoded = frames.decodeAt(this.#bytes, start);
    } catch (error) {
      if (!(error instanceof WireError) || error.code !== "unknown-type") throw error;
    }
    this.#at = decoded === null ? scanValue(this.#bytes, start, otherLimits) : decoded.end;
    if (decoded === null) handler.unknown?.();
    else handler.frame(decoded.message);
  }

  /** Fields behind those we know. */
  #skip(fields: number, { maxDepth, maxCount }: ScanLimits): void {
    for (let index = 0; index < fields; index++)
      this.#at = scanValue(this.#bytes, this.#at, { maxDepth: maxDepth - 1, maxCount });
  }

  #arrayHead(): number {
    const head = this.#byte();
    if ((head & 0xf0) === 0x90) return head & 0x0f;
    if (head !== 0xdc) throw malformed("a frame that is no array");
    const count = this.#big(2);
    if (count < 16) throw malformed("a count not in its shortest form");
    return count;
  }

  #uint(max: number): number {
    const value = this.#anyUint();
    if (value > max) throw malformed("a number out of range");
    return value;
  }

  #anyUint(): number {
    const head = this.#byte();
    if (head < 0x80) return head;
    // The signed 64-bit form is as short as the unsigned one, and what the library writes.
    const width = head === 0xd3 ? 8 : head >= 0xcc && head <= 0xcf ? 1 << (head - 0xcc) : 0;
    if (width === 0) throw malformed("a field that is no number");
    const value = this.#big(width);
    if (value < (width === 1 ? 0x80 : 2 ** (width * 4))) throw malformed("a number not in its shortest form");
    return value;
  }

  #bool(): boolean {
    const head = this.#byte();
    if (head !== 0xc2 && head !== 0xc3) throw malformed("a field that is neither true nor false");
    return head === 0xc3;
  }

  /** @returns the length of what follows */
  #binaryHead(): number {
    const head = this.#byte();
    if (head !== 0xc4 && head !== 0xc5) throw malformed("stream data that is not binary");
    const length = this.#big(head - 0xc3);
    if (head === 0xc5 && length < 0x100) throw malformed("a length not in its shortest form");
    if (length > this.#bytes.length - this.#at) throw malformed("a length beyond the end");
    return length;
  }

  #big(width: number): number {
    let value = 0;
    for (let index = 0; index < width; index++) value = value * 256 + this.#byte();
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed("cut short");
    return byte;
  }
}

function refuseCount(count: number, least: number, { maxCount }: ScanLimits): void {
  if (count < least || count > maxCount) throw malformed("fields are missing or too many");
}

function malformed(what: string): WireError {
  return new WireError("bad-message", `not a frame: ${what}`);
}
