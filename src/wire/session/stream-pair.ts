import type { Frame } from "../messages/session.ts";
import type { PagePool } from "./paged-bytes.ts";
import { ReceiveStream } from "./receive-stream.ts";
import { SendStream } from "./send-stream.ts";
import type { StreamClass } from "./stream-id.ts";

/** Both halves of a stream, and what is to be told about them. */
export class StreamPair {
  readonly id: number;
  readonly class: StreamClass;
  readonly send: SendStream;
  readonly receive: ReceiveStream;
  /** The user was told that there is something to read, and has not read it to the end yet. */
  isReadableTold = false;
  isFinishedTold = false;
  /** A write was cut short. */
  wantsWritable = false;
  isCreditDue = false;
  resetDue: number | null = null;
  stopDue: number | null = null;

  constructor(id: number, cls: StreamClass, windowBytes: number, pool: PagePool) {
    this.id = id;
    this.class = cls;
    this.send = new SendStream(id, windowBytes, pool);
    // Messages are views of what was read, and live on.
    this.receive = new ReceiveStream(windowBytes, cls === "bulk" ? pool : null);
  }

  get isDone(): boolean {
    return this.send.isDone && this.receive.isSettled;
  }

  /** @returns the next control frame about this stream; null when there is none */
  takeFrame(): Frame | null {
    if (this.resetDue !== null) return this.#takeReset(this.resetDue);
    if (this.stopDue !== null) return this.#takeStop(this.stopDue);
    if (!this.isCreditDue) return null;
    this.isCreditDue = false;
    return { kind: "maxStream", stream: this.id, bytes: this.receive.creditEnd };
  }

  /** What one of them said holds still? Then it is due again. */
  onFrameLost(frame: Extract<Frame, { kind: "maxStream" | "resetStream" | "stopSending" }>): void {
    if (frame.kind === "maxStream") this.isCreditDue ||= !this.receive.isComplete;
    else if (frame.kind === "resetStream") this.resetDue = frame.code;
    else if (!this.receive.isDone) this.stopDue = frame.code;
  }

  #takeReset(code: number): Frame {
    this.resetDue = null;
    return { kind: "resetStream", stream: this.id, finalBytes: this.send.sentEnd, code };
  }

  #takeStop(code: number): Frame {
    this.stopDue = null;
    return { kind: "stopSending", stream: this.id, code };
  }
}
