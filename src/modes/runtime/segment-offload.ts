import { MAX_BURST_BYTES } from "../../wire/limits.ts";
import { setSocketOption, type SetSocketOption } from "./socket-options.ts";

// Linux numbers, from linux/udp.h.
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

/** UDP_MAX_SEGMENTS of kernels before 6.9. */
const MAX_SEGMENTS = 64;

/**
 * Hands the kernel a burst in one call, which it cuts into datagrams (udp(7), UDP_SEGMENT): an order of magnitude less work per
 * packet. The size of segments stays with the socket: a longer datagram would be cut, and kernels before 6.14 refuse even a short one
 * where a whole segment would not fit the way out. So a datagram that goes alone goes with none.
 */
export class SegmentOffload {
  readonly #fd: number;
  readonly #set: SetSocketOption;
  #segmentBytes = 0;

  private constructor(fd: number, set: SetSocketOption) {
    this.#fd = fd;
    this.#set = set;
  }

  /** @returns null where the system has none */
  static on(fd: number): SegmentOffload | null {
    const set = setSocketOption();
    if (set === null || fd < 0 || !set(fd, SOL_UDP, UDP_SEGMENT, 0)) return null;
    return new SegmentOffload(fd, set);
  }

  /** @returns how much of a burst may go in one call: whole segments but for the last of the burst. 0: send them one by one */
  take(burstBytes: number, segmentBytes: number): number {
    if (!this.#prepare(burstBytes > segmentBytes ? segmentBytes : 0) || burstBytes <= segmentBytes) return 0;
    const segments = Math.min(MAX_SEGMENTS, Math.floor(MAX_BURST_BYTES / segmentBytes));
    return Math.min(burstBytes, segments * segmentBytes);
  }

  /** Datagrams leave one by one from here on, until the next burst. */
  pause(): void {
    this.#prepare(0);
  }

  #prepare(segmentBytes: number): boolean {
    if (segmentBytes === this.#segmentBytes) return true;
    if (!this.#set(this.#fd, SOL_UDP, UDP_SEGMENT, segmentBytes)) return false;
    this.#segmentBytes = segmentBytes;
    return true;
  }
}

/** From here on the kernel may join datagrams of one source into one buffer. @returns whether it does */
export function joinReceived(fd: number): boolean {
  const set = setSocketOption();
  return set !== null && fd >= 0 && set(fd, SOL_UDP, UDP_GRO, 1);
}
