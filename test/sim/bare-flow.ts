import type { CongestionController } from "../../src/wire/congestion/controller.ts";
import { MIN_DATAGRAM_BYTES } from "../../src/wire/limits.ts";
import type { AckFrame } from "../../src/wire/session/frame-reader.ts";
import { Mtu } from "../../src/wire/session/mtu.ts";
import { ReceivePath } from "../../src/wire/session/receive-path.ts";
import { RouteState } from "../../src/wire/session/route-state.ts";
import { SERVER_ROUTE } from "../../src/wire/session/route.ts";
import { ackDelayMs } from "../../src/wire/session/rtt.ts";
import { SendPath } from "../../src/wire/session/send-path.ts";
import type { Fate, PacketContents } from "../../src/wire/session/sent-packets.ts";
import type { Link } from "./link.ts";
import type { SimHost, SimNetwork } from "./network.ts";

const CONTENTS: PacketContents = { chunks: [], frames: [], ackPath: -1, ackLargest: 0 };
const NO_FATE: Fate = { chunk: () => undefined, frame: () => undefined, ack: () => undefined };
const ACK_BYTES = 100;
const NEVER_SKIP = 1e9;

/**
 * One path with all that decides how it is used, pacing, loss recovery, congestion control, acks, and nothing else: packets are numbers
 * without contents and without keys, which lets the clock run ten times faster.
 */
export class BareFlow implements SimHost {
  readonly path: SendPath;
  receivedBytes = 0;
  /** What is left to send. Bytes. */
  pendingBytes = 0;
  readonly #network: SimNetwork;
  readonly #forth: Link;
  readonly #back: Link;
  readonly #received: ReceivePath;
  #wakeAt: number | null = null;

  constructor(network: SimNetwork, forth: Link, back: Link, congestion: CongestionController) {
    this.#network = network;
    this.#forth = forth;
    this.#back = back;
    const { now } = network;
    const mtu = new Mtu({ family: null, now });
    const random = network.random.fork().bytes;
    this.path = new SendPath(1, new RouteState(SERVER_ROUTE, now), congestion, mtu, random, NEVER_SKIP, now);
    this.#received = new ReceivePath(1, "", now);
    network.add(this);
  }

  /** Bytes more to send; without an end if not said how many. */
  send(bytes = Number.POSITIVE_INFINITY): void {
    this.pendingBytes += bytes;
    this.#pump();
  }

  /** Stops for now. */
  pause(): void {
    this.pendingBytes = 0;
  }

  wakeAt(): number | null {
    return this.#wakeAt;
  }

  wake(): void {
    this.path.handleTimeout(this.#network.now, NO_FATE);
    this.#pump();
  }

  #pump(): void {
    const { now } = this.#network;
    const { path } = this;
    if (path.probesOwed > 0) this.#packet(now);
    while (this.pendingBytes > 0 && path.mayBeginBulk(now))
      for (let left = path.burstPackets(now, MIN_DATAGRAM_BYTES); left > 0 && this.pendingBytes > 0; left--)
        this.#packet(now);
    if (this.pendingBytes <= 0) path.onIdle();
    const pacedAt = this.pendingBytes > 0 ? path.pacedUntil(now) : null;
    const at = Math.min(path.pollTimeout() ?? Number.POSITIVE_INFINITY, pacedAt ?? Number.POSITIVE_INFINITY);
    this.#wakeAt = Number.isFinite(at) ? at : null;
  }

  #packet(now: number): void {
    const { path } = this;
    const number = path.nextNumber();
    path.probesOwed = 0;
    path.onSent(now, MIN_DATAGRAM_BYTES, CONTENTS, true);
    this.pendingBytes -= Math.min(MIN_DATAGRAM_BYTES, this.pendingBytes);
    for (const at of this.#forth.arrivals(now, MIN_DATAGRAM_BYTES)) this.#network.at(at, () => this.#arrive(number));
  }

  #arrive(number: number): void {
    const { now } = this.#network;
    if (!this.#received.window.isFresh(number)) return;
    this.#received.window.mark(number);
    this.receivedBytes += MIN_DATAGRAM_BYTES;
    this.#received.onPacket(now, number, "", true, MIN_DATAGRAM_BYTES, ackDelayMs(this.path.recovery.rtt));
    const { ackAt } = this.#received;
    if (ackAt !== null && ackAt <= now) this.#acknowledge();
    else if (ackAt !== null) this.#network.at(ackAt, () => this.#received.ackAt === ackAt && this.#acknowledge());
  }

  #acknowledge(): void {
    const { now } = this.#network;
    const { ranges } = this.#received;
    const indexes = Array.from({ length: ranges.count }, (_, index) => index);
    const ack: AckFrame = {
      path: 1,
      delayUs: this.#received.ackDelayUs(now),
      count: ranges.count,
      low: Float64Array.from(indexes, (index) => ranges.low(index)),
      high: Float64Array.from(indexes, (index) => ranges.high(index)),
    };
    this.#received.onAckSent();
    for (const at of this.#back.arrivals(now, ACK_BYTES)) this.#network.at(at, () => this.#onAck(ack));
  }

  #onAck(ack: AckFrame): void {
    this.path.onAck(this.#network.now, ack, NO_FATE, NO_FATE);
    // What is told with an ack of the ack in a session.
    this.#received.ranges.forgetThrough(this.path.recovery.sent.oldest - 1);
    this.#pump();
  }
}
