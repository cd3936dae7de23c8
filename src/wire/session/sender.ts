import type { Transmit } from "../core.ts";
import { MAX_BURST_BYTES, MIN_DATAGRAM_BYTES } from "../limits.ts";
import { type Frame, frames } from "../messages/session.ts";
import { SEALED_OVERHEAD_BYTES } from "../packet/header.ts";
import type { AckHomes } from "./ack-homes.ts";
import type { LimitClock } from "./limit-clock.ts";
import type { PacketCopies } from "./packet-copies.ts";
import type { Allowance, PacketFiller } from "./packet-filler.ts";
import type { PacketWriter } from "./packet-writer.ts";
import type { Paths } from "./paths.ts";
import type { Rekey } from "./rekey.ts";
import { isDirect, type Route, routeKey } from "./route.ts";
import type { RouteState } from "./route-state.ts";
import type { SendPath } from "./send-path.ts";

export interface SenderOptions {
  readonly paths: Paths;
  readonly acks: AckHomes;
  readonly rekey: Rekey;
  readonly writer: PacketWriter;
  readonly filler: PacketFiller;
  readonly copies: PacketCopies;
  readonly limitClock: LimitClock;
  /** Streams may go through the server, by whichever of its ways. */
  readonly relayData: boolean;
}

const PING: Frame = { kind: "ping" };
const PING_BYTES = frames.encode(PING);
const NOTHING: Allowance = { state: "open", messages: false, bulk: false, streams: false };

/** Decides which packet leaves next, and where: checks, then acks and probes of the other paths, then the selected path. */
export class Sender {
  readonly #options: SenderOptions;
  /** What leaves next is written here, each time anew. */
  readonly #burst = new Uint8Array(MAX_BURST_BYTES);
  #wakeAt: number | null = null;
  #sizeProbeAt: number | null = null;
  #isOpen = true;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  poll(now: number): Transmit<Route> | null {
    const { rekey, copies } = this.#options;
    this.#wakeAt = this.#sizeProbeAt = null;
    rekey.poke(now);
    const state = rekey.sealState(now);
    this.#isOpen = state === "open";
    if (state === "spent") return null;
    return this.#check(now) ?? copies.poll(now) ?? this.#aside(now) ?? this.#sizeProbe(now) ?? this.#main(now);
  }

  /** When the pacer lets more go, or an ack or a probe for size is due. Valid once {@link poll} has returned null. */
  pollTimeout(): number | null {
    const ackAt = this.#isOpen ? this.#options.acks.pollTimeout() : null;
    const never = Number.POSITIVE_INFINITY;
    const at = Math.min(ackAt ?? never, this.#wakeAt ?? never, this.#sizeProbeAt ?? never);
    return at === never ? null : at;
  }

  /** A packet with this frame alone, for the end of a session. Null when nothing can be sealed. */
  only(now: number, route: RouteState, frame: Frame): Transmit<Route> | null {
    const { paths, rekey, writer } = this.#options;
    const path = paths.pathOn(route, now);
    if (path === null || rekey.sealState(now) === "spent") return null;
    const out = new Uint8Array(MIN_DATAGRAM_BYTES);
    writer.builder.begin(out, 0);
    writer.builder.addFrame(frame, frames.encode(frame), false);
    return transmit(path, out, writer.seal(now, path), MIN_DATAGRAM_BYTES);
  }

  #check(now: number): Transmit<Route> | null {
    const { paths, writer } = this.#options;
    for (let check = paths.challenges.take(); check !== null; check = paths.challenges.take()) {
      const route = paths.routeOf(routeKey(check.route));
      const bytes = Math.max(check.paddedTo, frames.encode(check.frame).length + SEALED_OVERHEAD_BYTES);
      if (check.isLimited && route?.maySend(bytes) === false) continue;
      route?.onSent(bytes);
      return writer.check(now, check);
    }
    return null;
  }

  /** An ack or a probe on a path that data does not go on. */
  #aside(now: number): Transmit<Route> | null {
    const { paths, acks, rekey } = this.#options;
    const selected = paths.selected(now);
    if (rekey.sealState(now) !== "open") return null;
    const due = acks.nextDue(now);
    if (due !== null && due !== selected) return this.#send(now, due, NOTHING);
    for (const path of paths.all) if (path.probesOwed > 0 && path !== selected) return this.#send(now, path, NOTHING);
    return null;
  }

  /** A packet that carries nothing but its length. Where data goes, and nowhere else. */
  #sizeProbe(now: number): Transmit<Route> | null {
    const { paths, rekey, writer } = this.#options;
    const path = paths.selected(now);
    const at = path === null || rekey.sealState(now) !== "open" ? null : path.sizeProbeAt;
    const bytes = at === null ? null : (path?.mtu.poll(now) ?? null);
    this.#sizeProbeAt = at === null ? null : (path?.sizeProbeAt ?? null);
    if (path === null || bytes === null) return null;
    const out = new Uint8Array(bytes);
    writer.builder.begin(out, 0, bytes);
    writer.builder.addFrame(PING, PING_BYTES, false);
    writer.builder.padTo(bytes);
    return transmit(path, out, writer.sealSizeProbe(now, path), bytes);
  }

  #main(now: number): Transmit<Route> | null {
    const { paths, acks, filler } = this.#options;
    const path = paths.selected(now);
    if (path === null) return this.#stuck(now);
    const allowance = this.#allowanceOf(now, path, path.mayBeginBulk(now));
    const isDue = allowance.state === "open" && acks.nextDue(now) === path;
    if (!isDue && path.probesOwed === 0 && !filler.hasAny(allowance)) return this.#rest(now, path, allowance);
    return this.#send(now, path, allowance) ?? this.#rest(now, path, allowance);
  }

  /** Nothing leaves: because there is nothing, or because the pacer holds it. */
  #rest(now: number, path: SendPath, allowance: Allowance): null {
    const { filler, limitClock } = this.#options;
    const hasBulk = filler.hasBulk();
    if (hasBulk && (allowance.state !== "open" || !allowance.streams)) {
      path.onIdle();
      return this.#stuck(now);
    }
    if (hasBulk) this.#wakeAt = path.pacedUntil(now);
    else path.onIdle();
    limitClock.stopped(now, !hasBulk ? filler.bulkHold : this.#wakeAt === null ? path.heldBy : "pacing");
    return null;
  }

  /** No path carries bulk now. */
  #stuck(now: number): null {
    const { filler, limitClock } = this.#options;
    limitClock.stopped(now, filler.hasBulk() ? "path" : filler.bulkHold);
    return null;
  }

  #allowanceOf(now: number, path: SendPath, mayBulk: boolean): Allowance {
    const { rekey, relayData } = this.#options;
    const isProbe = path.probesOwed > 0;
    return {
      state: rekey.sealState(now),
      messages: isProbe || path.maySendMessages,
      bulk: isProbe || mayBulk,
      streams: relayData || isDirect(path.route.route),
    };
  }

  /** One packet, or a burst of full ones and a last. */
  #send(now: number, path: SendPath, allowance: Allowance): Transmit<Route> | null {
    const { filler } = this.#options;
    const { bulk, streams, state } = allowance;
    const isBurst = bulk && streams && state === "open" && path.probesOwed === 0 && filler.hasBulk();
    // Only bulk fills longer packets; an ack needs no 9 KB.
    const isShort = !isBurst || this.#options.copies.areMadeOf(path);
    const datagramBytes = isShort ? MIN_DATAGRAM_BYTES : path.datagramBytes;
    const end = (isBurst ? path.burstPackets(now, datagramBytes) : 1) * datagramBytes;
    let isPlain = false;
    let at = 0;
    for (let length = datagramBytes; length === datagramBytes && at < end && this.#mayFollow(now, at); at += length) {
      length = isPlain
        ? this.#bulkPacket(now, path, at, datagramBytes)
        : this.#packet(now, path, at, datagramBytes, allowance);
      // Nothing else comes up within a burst.
      isPlain ||= isBurst && !filler.hasAny({ ...allowance, bulk: false });
    }
    return at === 0 ? null : transmit(path, this.#burst, at, datagramBytes);
  }

  /** The keys may be spent up to the restriction in the middle of a burst. */
  #mayFollow(now: number, at: number): boolean {
    return at === 0 || this.#options.rekey.sealState(now) === "open";
  }

  /** @returns the packet's length; 0 when there was nothing to put into it */
  #packet(now: number, path: SendPath, at: number, datagramBytes: number, allowance: Allowance): number {
    const { acks, writer, filler, copies } = this.#options;
    const { builder } = writer;
    const isProbe = path.probesOwed > 0;
    if (isProbe) path.probesOwed--;
    builder.begin(this.#burst, at, datagramBytes);
    const waiting = allowance.state === "open" ? acks.waitingOn(now, path) : [];
    for (const from of waiting) builder.addAck(now, from);
    filler.fill(now, builder, allowance);
    if (allowance.bulk) this.#fillUp(datagramBytes);
    const shouldAsk = isProbe || (path.isQuiet && waiting.some((from) => from.ranges.count > 1));
    if (shouldAsk && !builder.asksForAck && allowance.state === "open") builder.addFrame(PING, PING_BYTES, false);
    if (builder.isEmpty) return 0;
    const length = writer.seal(now, path);
    copies.onSent(path);
    return length;
  }

  /** The rest of a burst, in which packets differ in nothing but their data. @returns as {@link #packet} */
  #bulkPacket(now: number, path: SendPath, at: number, datagramBytes: number): number {
    const { builder } = this.#options.writer;
    builder.begin(this.#burst, at, datagramBytes);
    this.#options.filler.fillBulk(now, builder);
    this.#fillUp(datagramBytes);
    return builder.isEmpty ? 0 : this.#options.writer.seal(now, path);
  }

  /** All packets of a burst but the last have one length, and the room left for a longer frame head would end it here. */
  #fillUp(datagramBytes: number): void {
    if (this.#options.filler.hasBulk()) this.#options.writer.builder.padTo(datagramBytes);
  }
}

function transmit(path: SendPath, out: Uint8Array, length: number, datagramBytes: number): Transmit<Route> {
  const segmentBytes = Math.min(length, datagramBytes);
  return { to: path.route.route, bytes: out.subarray(0, length), segmentBytes };
}
