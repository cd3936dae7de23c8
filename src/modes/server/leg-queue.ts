import type { Clock } from "./clock.ts";
import { PacketQueue } from "./packet-queue.ts";
import type { WebSocketPort } from "./web-socket-port.ts";

/** What waits for a reader that is slower than the other end's sender. */
const MAX_QUEUED_BYTES = 262_144;
/** Handed to the socket at a time; what is there cannot be dropped any more. */
const MAX_IN_SOCKET_BYTES = 65_536;
const STALLED_MS = 30_000;

/** The out-queue of a leg. When it is full the oldest packets go: the session in them notices the loss and slows down. */
export class LegQueue {
  readonly #port: WebSocketPort;
  readonly #clock: Clock;
  readonly #onStalled: () => void;
  readonly #waiting = new PacketQueue();
  #cancelStall: (() => void) | null = null;

  /** @param onStalled nothing left the socket for 30 s */
  constructor(port: WebSocketPort, clock: Clock, onStalled: () => void) {
    this.#port = port;
    this.#clock = clock;
    this.#onStalled = onStalled;
  }

  push(packets: Uint8Array): void {
    if (this.#waiting.isEmpty && this.#port.queuedBytes < MAX_IN_SOCKET_BYTES) {
      this.#port.send(packets);
      return this.#watch();
    }
    // The runtime's buffer belongs to the message it came in, whose memory nothing else holds.
    this.#waiting.push(packets);
    while (this.#waiting.weightBytes > MAX_QUEUED_BYTES) this.#waiting.shift();
    this.#watch();
  }

  drained(): void {
    this.#cancelStall?.();
    this.#cancelStall = null;
    while (this.#port.queuedBytes < MAX_IN_SOCKET_BYTES) {
      const packets = this.#waiting.shift();
      if (packets === null) return;
      this.#port.send(packets);
    }
    this.#watch();
  }

  stop(): void {
    this.#cancelStall?.();
    this.#waiting.clear();
  }

  #watch(): void {
    if (this.#port.queuedBytes > 0) this.#cancelStall ??= this.#clock.after(STALLED_MS, this.#onStalled);
  }
}
