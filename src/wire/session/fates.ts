import type { Frame } from "../messages/session.ts";
import type { ControlQueue } from "./control-queue.ts";
import type { ReceivePaths } from "./receive-paths.ts";
import type { Fate } from "./sent-packets.ts";
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
