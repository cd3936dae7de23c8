/** What a stream's face needs of the session that carries it; `now` and waking the driver are the host's business. */
export interface StreamHost {
  /** @returns how many of `bytes` were taken; fewer when there is no room, and then `onWritable` follows */
  write(stream: number, bytes: Uint8Array): number;
  finish(stream: number): void;
  reset(stream: number, code: number): void;
  stop(stream: number, code: number): void;
  /** @returns the next bytes in order; null when there are none yet */
  read(stream: number): Uint8Array | null;
  /** Gives the other end credit for as much again. */
  consumed(stream: number, bytes: number): void;
  /** Written and not yet acknowledged. */
  bufferedBytes(stream: number): number;
  /** Runs what may throw a WireError over what the other end wrote: that ends the session. */
  guard(run: () => void): void;
}
