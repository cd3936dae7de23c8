import type { Paths } from "./paths.ts";
import type { ReceivePath } from "./receive-path.ts";
import type { ReceivePaths } from "./receive-paths.ts";
import type { SendPath } from "./send-path.ts";
import { isAcknowledged } from "./receive-paths.ts";

/** About what a packet with nothing but an ack takes. Bytes. */
const ACK_PACKET_BYTES = 128;
const NONE: readonly ReceivePath[] = [];

/**
 * Where acks go: on the route of the path they acknowledge, so that its RTT is that route's. While that is not proven to be the other
 * end's, or has fallen silent, they go where data goes.
 */
export class AckHomes {
  readonly #received: ReceivePaths;
  readonly #paths: Paths;

  constructor(received: ReceivePaths, paths: Paths) {
    this.#received = received;
    this.#paths = paths;
  }

  /** The paths of the other end whose acks wait to go out on this one of ours. */
  waitingOn(now: number, path: SendPath): readonly ReceivePath[] {
    if (!this.#isAnyWaiting()) return NONE;
    return [...this.#received.values()].filter((from) => from.ackAt !== null && this.#homeOf(now, from) === path);
  }

  /** A path of ours on which an ack is due. What can go nowhere is dropped: the other end will ask again. */
  nextDue(now: number): SendPath | null {
    for (const from of this.#received.values()) {
      if (from.ackAt === null || from.ackAt > now || !isAcknowledged(from.id)) continue;
      const home = this.#homeOf(now, from);
      if (home !== null) return home;
      from.onAckSent();
    }
    return null;
  }

  /** Acks that a packet on a silent route repeats. */
  allOn(path: SendPath): ReceivePath[] {
    return [...this.#received.values()].filter((from) => from.routeKey === path.route.key && from.ranges.count > 0);
  }

  pollTimeout(): number | null {
    let at = Number.POSITIVE_INFINITY;
    for (const from of this.#received.values()) at = Math.min(at, from.ackAt ?? at);
    return Number.isFinite(at) ? at : null;
  }

  /** Asked for every packet. */
  #isAnyWaiting(): boolean {
    for (const { ackAt } of this.#received.values()) if (ackAt !== null) return true;
    return false;
  }

  #homeOf(now: number, from: ReceivePath): SendPath | null {
    const route = this.#paths.routeOf(from.routeKey);
    const isProven = route !== null && route.standing !== "seen" && route.path?.isSuspect !== true;
    if (isProven) return this.#paths.pathOn(route, now);
    const selected = this.#paths.selected(now);
    return selected === null && route?.maySend(ACK_PACKET_BYTES) === true ? this.#paths.pathOn(route, now) : selected;
  }
}
