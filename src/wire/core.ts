import type { UdpAddress } from "./address.ts";

/**
 * Bytes to hand to a socket: one datagram, or a burst of `segmentBytes`-sized ones of which only the last may be shorter. They hold until
 * the next `pollTransmit`: the memory is used again.
 */
export interface Transmit<To = UdpAddress> {
  readonly to: To;
  readonly bytes: Uint8Array;
  readonly segmentBytes: number;
}

/**
 * What every protocol core looks like from outside. After a `handle*` call or a command, drain `pollEvent` and then
 * `pollTransmit` until each is null, then ask `pollTimeout` when to come back. `now` is monotonic ms, never decreasing.
 */
export interface Core<Event, To = UdpAddress> {
  /** Never throws, whatever the bytes. */
  handleDatagram(now: number, datagram: Uint8Array, from: To): void;
  /** Early or spurious calls change nothing. */
  handleTimeout(now: number): void;
  pollEvent(): Event | null;
  pollTransmit(now: number): Transmit<To> | null;
  /** The next deadline in the terms of `now`; null when nothing is pending. */
  pollTimeout(): number | null;
}

/** `length` unpredictable bytes. The caller chooses the source: the system's on a socket, a seed in a simulation. */
export type Random = (length: number) => Uint8Array;
