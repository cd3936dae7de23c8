import type { Frame } from "../messages/session.ts";
import type { EventQueue } from "./events.ts";
import type { StreamChunk } from "./sent-packets.ts";
import type { SessionLimits } from "./session-limits.ts";
import { SessionCredit } from "./session-credit.ts";
import { StreamFrames } from "./stream-frames.ts";
import type { StreamClass } from "./stream-id.ts";
import type { StreamPair } from "./stream-pair.ts";
import { StreamTable } from "./stream-table.ts";
import { TunedWindow, WindowPool } from "./tuned-window.ts";

/** What streams need to know of the paths that carry them, and share with other sessions. */
export interface StreamSurroundings {
  /** What the path in use may have in flight. Bytes. */
  readonly flightBytes: () => number;
  /** Null before there is one. Milliseconds. */
  readonly rttMs: () => number | null;
  readonly pool: WindowPool;
}

/** What is under way has to be held, and half as much again lets the writer take its time. */
const BUFFERED_FLIGHTS = 1.5;
/** Of the buffer and of the credit of all bulk streams, for one of them at most: others are to have room as well. */
const STREAM_SHARE = 0.75;

/** All streams of a session: what the user does with them, what the other end's frames say, and what is to be sent next. */
export class Streams {
  readonly #limits: SessionLimits;
  readonly #events: EventQueue;
  readonly #table: StreamTable;
  readonly #credit: SessionCredit;
  readonly #surroundings: StreamSurroundings;
  /** What bulk may have received and not given back, and what it may have written and not seen acknowledged. */
  readonly #receiveWindow: TunedWindow;
  readonly #sendWindow: TunedWindow;
  /** What each of them may have received and not given back. */
  readonly #streamWindow: TunedWindow;
  /** What is to be told about streams. */
  readonly frames: StreamFrames;
  #bufferedBulkBytes = 0;
  /** Stream data that went out again. */
  repeatedBytes = 0;

  constructor(isInitiator: boolean, limits: SessionLimits, events: EventQueue, surroundings: StreamSurroundings) {
    const { sessionWindowBytes, bulkWindowBytes, bulkBufferBytes, windowGrowth } = limits;
    const window = (bytes: number) => new TunedWindow(bytes, bytes * windowGrowth, surroundings.pool);
    const mostOfStream = STREAM_SHARE * sessionWindowBytes * windowGrowth;
    this.#limits = limits;
    this.#events = events;
    this.#surroundings = surroundings;
    this.#receiveWindow = window(sessionWindowBytes);
    this.#sendWindow = window(bulkBufferBytes);
    // The credit of a stream is part of that of all.
    this.#streamWindow = new TunedWindow(bulkWindowBytes, mostOfStream, new WindowPool(Number.POSITIVE_INFINITY));
    this.#credit = new SessionCredit(this.#receiveWindow);
    this.#table = new StreamTable(isInitiator, limits, (pair) =>
      events.push({ kind: "stream-opened", stream: pair.id, class: pair.class }),
    );
    this.frames = new StreamFrames(this.#table, this.#credit);
  }

  open(cls: StreamClass): number {
    return this.#table.open(cls).id;
  }

  /** @returns how many bytes were taken; 0 also for a stream that takes no more */
  write(id: number, bytes: Uint8Array): number {
    const pair = this.#table.get(id);
    if (pair === null || pair.send.isClosed) return 0;
    const taken = Math.min(bytes.length, this.#roomOf(pair));
    if (taken > 0) pair.send.write(bytes.subarray(0, taken));
    if (pair.class === "bulk") this.#bufferedBulkBytes += taken;
    pair.wantsWritable = taken < bytes.length;
    return taken;
  }

  finish(id: number): void {
    const pair = this.#table.get(id);
    if (pair !== null && !pair.send.isReset) pair.send.finish();
  }

  reset(id: number, code: number): void {
    const pair = this.#table.get(id);
    if (pair !== null) this.#resetSending(pair, code);
  }

  stop(id: number, code: number): void {
    const pair = this.#table.get(id);
    if (pair === null || pair.receive.isStopped || pair.receive.isDone) return;
    pair.receive.stop();
    pair.stopDue = code;
    this.frames.add(pair);
    this.#consume(pair, pair.receive.unconsumedBytes);
    this.#table.forgetIfDone(pair);
  }

  read(id: number): Uint8Array | null {
    const pair = this.#table.get(id);
    if (pair === null) return null;
    const bytes = pair.receive.read();
    if (bytes === null) pair.isReadableTold = false;
    this.#tellFinished(pair);
    return bytes;
  }

  consumed(now: number, id: number, bytes: number): void {
    const pair = this.#table.get(id);
    if (pair === null) return;
    const rttMs = pair.class === "bulk" ? this.#surroundings.rttMs() : null;
    if (rttMs !== null) this.#tune(now, Math.min(bytes, pair.receive.unconsumedBytes), rttMs);
    this.#consume(pair, bytes);
    this.#table.forgetIfDone(pair);
  }

  /** The session is over: what its windows grew by is for others. */
  release(): void {
    this.#receiveWindow.release();
    this.#sendWindow.release();
  }

  bufferedBytes(id: number): number {
    return this.#table.get(id)?.send.bufferedBytes ?? 0;
  }

  /** The bytes of `data` from `from` to `to`. @throws WireError for what no honest end sends */
  onData(id: number, offset: number, fin: boolean, data: Uint8Array, from = 0, to: number = data.length): void {
    const pair = this.#table.find(id);
    if (pair === null) return;
    const grown = pair.receive.onData(offset, data, fin, from, to);
    if (pair.class === "bulk") this.#credit.onReceived(grown);
    if (pair.receive.isStopped) this.#consume(pair, pair.receive.unconsumedBytes);
    if (pair.receive.isReadable && !pair.isReadableTold) {
      pair.isReadableTold = true;
      this.#events.push({ kind: "stream-readable", stream: id });
    }
    this.#tellFinished(pair);
    this.#table.forgetIfDone(pair);
  }

  /** @returns whether the frame was about streams. @throws WireError as {@link onData} */
  onFrame(frame: Frame): boolean {
    switch (frame.kind) {
      case "maxSession":
        this.#credit.raise(frame.bytes);
        return true;
      case "maxStream":
        this.#table.find(frame.stream)?.send.raiseCredit(frame.bytes);
        return true;
      case "maxStreams":
        this.#table.onMaxStreams(frame.class, frame.streams);
        return true;
      case "resetStream":
        this.#onReset(frame);
        return true;
      case "stopSending":
        this.#onStopSending(frame);
        return true;
      default:
        return false;
    }
  }

  hasPending(cls: StreamClass): boolean {
    const allowed = this.#newBytesAllowed(cls);
    return this.#table.byClass[cls].some((pair) => !this.#table.isHeld(pair) && pair.send.hasPending(allowed));
  }

  /** Why there is no bulk to send, when there is none. */
  get bulkHold(): "credit" | "buffer" | "application" {
    const { bulk } = this.#table.byClass;
    if (bulk.some((pair) => pair.send.hasUnsent)) return "credit";
    return bulk.some((pair) => pair.wantsWritable) ? "buffer" : "application";
  }

  /** @returns the next chunk of the class of at most `maxBytes`, its streams in turn; null when nothing is to be sent */
  nextChunk(cls: StreamClass, maxBytes: number): StreamChunk | null {
    const list = this.#table.byClass[cls];
    for (let turn = 0; turn < list.length; turn++) {
      const pair = list[0];
      if (pair === undefined) return null;
      const chunk = this.#table.isHeld(pair) ? null : this.#chunkOf(pair, maxBytes);
      if (chunk !== null && cls !== "bulk") return chunk;
      if (list.length > 1) list.push(...list.splice(0, 1));
      if (chunk !== null) return chunk;
    }
    return null;
  }

  copyTo(chunk: StreamChunk, out: Uint8Array, at: number): void {
    this.#table.get(chunk.stream)?.send.copyTo(chunk, out, at);
  }

  isWanted(chunk: StreamChunk): boolean {
    return this.#table.get(chunk.stream)?.send.isWanted(chunk) ?? false;
  }

  classOf(id: number): StreamClass {
    return this.#table.get(id)?.class ?? "bulk";
  }

  onChunkAcked(chunk: StreamChunk): void {
    const pair = this.#table.get(chunk.stream);
    if (pair === null) return;
    const before = pair.send.bufferedBytes;
    const wasDone = pair.send.isAllAcked;
    pair.send.onAcked(chunk);
    if (pair.class === "bulk") this.#bufferedBulkBytes -= before - pair.send.bufferedBytes;
    if (pair.send.isAllAcked && !wasDone)
      this.#events.push({ kind: "stream-acked", stream: pair.id, finished: pair.send.isDone });
    this.#tellWritable(pair);
    this.#table.forgetIfDone(pair);
  }

  onChunkLost(chunk: StreamChunk): void {
    this.#table.get(chunk.stream)?.send.onLost(chunk);
  }

  onFrameAcked(frame: Frame): void {
    const pair = frame.kind === "resetStream" ? this.#table.get(frame.stream) : null;
    if (pair === null) return;
    pair.send.onResetAcked();
    this.#table.forgetIfDone(pair);
  }

  #chunkOf(pair: StreamPair, maxBytes: number): StreamChunk | null {
    const before = pair.send.sentEnd;
    const chunk = pair.send.nextChunk(maxBytes, this.#newBytesAllowed(pair.class));
    const newBytes = pair.send.sentEnd - before;
    if (pair.class === "bulk") this.#credit.onSent(newBytes);
    if (chunk !== null) this.repeatedBytes += chunk.length - newBytes;
    return chunk;
  }

  #newBytesAllowed(cls: StreamClass): number {
    return cls === "bulk" ? this.#credit.sendableBytes : Number.POSITIVE_INFINITY;
  }

  #resetSending(pair: StreamPair, code: number): void {
    if (pair.send.isDone || pair.send.isReset) return;
    if (pair.class === "bulk") this.#bufferedBulkBytes -= pair.send.bufferedBytes;
    pair.send.reset(code);
    pair.resetDue = code;
    this.frames.add(pair);
    this.#tellWritable(pair);
  }

  #onReset({ stream, finalBytes, code }: Extract<Frame, { kind: "resetStream" }>): void {
    const pair = this.#table.find(stream);
    if (pair === null || pair.receive.isDone) return;
    const grown = pair.receive.onReset(finalBytes);
    if (pair.class === "bulk") this.#credit.onReceived(grown);
    this.#consume(pair, pair.receive.unconsumedBytes);
    this.#events.push({ kind: "stream-reset", stream, code });
    this.#table.forgetIfDone(pair);
  }

  #onStopSending({ stream, code }: Extract<Frame, { kind: "stopSending" }>): void {
    const pair = this.#table.find(stream);
    if (pair === null || pair.send.isDone || pair.send.isReset) return;
    this.#resetSending(pair, code);
    this.#events.push({ kind: "stream-stopped", stream, code });
  }

  #consume(pair: StreamPair, bytes: number): void {
    const counted = pair.receive.consume(bytes);
    if (pair.class === "bulk") this.#credit.onConsumed(counted);
    if (!pair.receive.isStopped && pair.receive.raiseCredit(this.#windowOf(pair))) {
      pair.isCreditDue = true;
      this.frames.add(pair);
    }
  }

  #tune(now: number, doneBytes: number, rttMs: number): void {
    this.#receiveWindow.onDone(now, doneBytes, rttMs);
    this.#streamWindow.onDone(now, doneBytes, rttMs);
  }

  /** The credit of one stream. What is not read of it is not to hold up the others. */
  #windowOf(pair: StreamPair): number {
    const { messageWindowBytes, bulkWindowBytes } = this.#limits;
    if (pair.class !== "bulk") return messageWindowBytes;
    const most = Math.min(this.#streamWindow.bytes, STREAM_SHARE * this.#receiveWindow.bytes);
    return Math.max(bulkWindowBytes, Math.floor(most));
  }

  #tellFinished(pair: StreamPair): void {
    if (!pair.receive.isDone || pair.receive.isStopped || pair.isFinishedTold) return;
    pair.isFinishedTold = true;
    this.#events.push({ kind: "stream-finished", stream: pair.id });
    this.#table.forgetIfDone(pair);
  }

  /** None while more is held than may be: a buffer shrinks with the window of its path. */
  #roomOf(pair: StreamPair): number {
    const room = this.#bufferOf(pair) - pair.send.bufferedBytes;
    const roomOfAll = this.#sendWindow.bytes - this.#bufferedBulkBytes;
    return Math.max(0, pair.class === "bulk" ? Math.min(room, roomOfAll) : room);
  }

  /** What one stream may hold that is not acknowledged. */
  #bufferOf(pair: StreamPair): number {
    if (pair.class !== "bulk") return this.#limits.messageWindowBytes;
    const wanted = BUFFERED_FLIGHTS * this.#surroundings.flightBytes();
    this.#sendWindow.grow(wanted / STREAM_SHARE);
    return Math.floor(
      Math.max(this.#limits.streamBufferBytes, Math.min(wanted, STREAM_SHARE * this.#sendWindow.bytes)),
    );
  }

  /** Once a quarter of what the stream may hold is free again. Room of one bulk stream is room for the others. */
  #tellWritable(pair: StreamPair): void {
    const waiting = pair.class === "bulk" ? this.#table.byClass.bulk : [pair];
    for (const each of waiting) {
      if (!each.wantsWritable || each.send.isClosed || this.#roomOf(each) < this.#bufferOf(each) / 4) continue;
      each.wantsWritable = false;
      this.#events.push({ kind: "stream-writable", stream: each.id });
    }
  }
}
