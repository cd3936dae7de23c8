import type { Frame } from "../messages/session.ts";
import type { ControlQueue } from "./control-queue.ts";
import type { ReceivePaths } from "./receive-paths.ts";
import type { Fate, StreamChunk } from "./sent-packets.ts";
import type { Streams } from "./streams.ts";

/** What arrived is done with. `onFrame` hears of every control frame. */
export function ackedFate(
  streams: Streams,
  control: ControlQueue,
  received: ReceivePaths,
  onFrame: (frame: Frame) => void,
): Fate {
  return {
    chunk: (chunk) => streams.onChunkAcked(chunk),
    frame: (frame) => {
      control.onAcked(frame);
      streams.onFrameAcked(frame);
      onFrame(frame);
    },
    ack: (path, largest) => received.get(path)?.ranges.forgetThrough(largest),
  };
}

/** What got lost goes back to where it came from, to go out again as far as it is still wanted. */
export function lostFate(streams: Streams, control: ControlQueue): Fate {
  return {
    chunk: (chunk) => streams.onChunkLost(chunk),
    frame: (frame) => {
      control.onLost(frame);
      streams.frames.onLost(frame);
    },
    ack: () => undefined,
  };
}

/** Joins chunks that follow on each other, as those of a burst do, so that a stream hears of them once. */
export class JoinedChunks implements Fate {
  readonly #to: Fate;
  #joined: StreamChunk | null = null;

  constructor(to: Fate) {
    this.#to = to;
  }

  chunk(chunk: StreamChunk): void {
    const { stream, offset, length, fin } = chunk;
    const last = this.#joined;
    if (last !== null && last.stream === stream && last.offset + last.length === offset && !last.fin)
      this.#joined = { stream, offset: last.offset, length: last.length + length, fin };
    else {
      this.end();
      this.#joined = chunk;
    }
  }

  frame(frame: Frame): void {
    this.#to.frame(frame);
  }

  ack(path: number, largest: number): void {
    this.#to.ack(path, largest);
  }

  /** No more of them: the last is told. */
  end(): void {
    const last = this.#joined;
    this.#joined = null;
    if (last !== null) this.#to.chunk(last);
  }
}
