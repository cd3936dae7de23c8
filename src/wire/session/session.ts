import { NARROW_BULK_BYTES } from "../limits.ts";
import { Bbr } from "../congestion/bbr.ts";
import type { CongestionController } from "../congestion/controller.ts";
import type { Core, Random, Transmit } from "../core.ts";
import { type ErrorCode, WireError } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import type { KeyPair } from "../noise/primitives.ts";
import { AckHomes } from "./ack-homes.ts";
import { ControlQueue } from "./control-queue.ts";
import { DatagramQueue } from "./datagram-queue.ts";
import { Ending } from "./ending.ts";
import { type CarriedFrame, EventQueue, type SessionEvent } from "./events.ts";
import { ackedFate, JoinedChunks, lostFate } from "./fates.ts";
import { FrameDispatcher } from "./frame-dispatcher.ts";
import { FrameReader } from "./frame-reader.ts";
import { Indexes } from "./indexes.ts";
import { LimitClock } from "./limit-clock.ts";
import { PacketCopies } from "./packet-copies.ts";
import { PacketFiller } from "./packet-filler.ts";
import { type Arrival, PacketReceiver } from "./packet-receiver.ts";
import { PacketWriter } from "./packet-writer.ts";
import { Paths } from "./paths.ts";
import { Pings } from "./pings.ts";
import type { ReceivePath } from "./receive-path.ts";
import { isAcknowledged, ReceivePaths } from "./receive-paths.ts";
import { Rekey } from "./rekey.ts";
import { type Route, routeKey, RouteKeys, type UdpRoute } from "./route.ts";
import type { RouteState } from "./route-state.ts";
import { ackDelayMs, probeTimeoutMs } from "./rtt.ts";
import { Sender } from "./sender.ts";
import type { Fate } from "./sent-packets.ts";
import { GROWTH_BYTES, type SessionLimits, sessionLimits } from "./session-limits.ts";
import { newCounters, type SessionStats, statsOf } from "./stats.ts";
import type { StreamClass } from "./stream-id.ts";
import { Streams } from "./streams.ts";
import type { TraceSink } from "./trace.ts";
import { Tracer } from "./tracer.ts";
import { WindowPool } from "./tuned-window.ts";

export interface SessionOptions {
  /** Of the first Noise handshake: the end that accepted. */
  readonly initiator: boolean;
  readonly sessionId: Uint8Array;
  /** What the first handshake gave: raw AES keys, and the secret that goes into the next handshake. 32 bytes each. */
  readonly keys: { readonly send: Uint8Array; readonly receive: Uint8Array; readonly export: Uint8Array };
  /** Receiver indexes as told in the handshake. */
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly staticKeys: KeyPair;
  readonly remoteStatic: Uint8Array;
  /** The prologue of the handshake that makes new keys, `rekey 1` and so on. */
  readonly rekeyPrologue: (purpose: string) => Uint8Array;
  readonly random: Random;
  /** False: through the server go only control frames, no stream and no datagram. */
  readonly relayData?: boolean;
  /** Whether packets of more than 1200 bytes may be tried on a route: nothing cuts them up on their way out. Default: nowhere. */
  readonly isUnfragmented?: (route: UdpRoute) => boolean;
  readonly limits?: Partial<SessionLimits>;
  /** Shared with the other sessions of the program; one of its own when left out. */
  readonly windowPool?: WindowPool;
  readonly congestion?: () => CongestionController;
  /** Hears what happens inside; costs nothing when left out. */
  readonly trace?: TraceSink;
  readonly now: number;
}

/**
 * An end of a session with one device, PROTOCOL.md §7: streams and datagrams over whatever routes there are, sealed. It begins with the
 * keys of a finished handshake and without a route. Nothing here throws for what comes from the network; commands on streams that are
 * gone do nothing.
 */
export class Session implements Core<SessionEvent, Route> {
  readonly sessionId: Uint8Array;
  readonly #events = new EventQueue();
  readonly #limits: SessionLimits;
  readonly #control = new ControlQueue();
  readonly #datagrams = new DatagramQueue();
  readonly #received = new ReceivePaths();
  readonly #routeKeys = new RouteKeys();
  readonly #counters = newCounters();
  readonly #tracer: Tracer | null;
  readonly #reader = new FrameReader();
  readonly #streams: Streams;
  readonly #indexes: Indexes;
  readonly #rekey: Rekey;
  readonly #paths: Paths;
  readonly #acks: AckHomes;
  readonly #limitClock: LimitClock;
  readonly #writer: PacketWriter;
  readonly #sender: Sender;
  readonly #receiver: PacketReceiver;
  readonly #dispatcher: FrameDispatcher;
  readonly #pings = new Pings(this.#control, this.#events);
  readonly #ending = new Ending(this.#events, () => this.#streams.release());
  #isEstablished = false;
  #heardAtMs: number;
  #receivedBytes = 0;

  constructor(options: SessionOptions) {
    const { random, localIndex, remoteIndex } = options;
    const limits = (this.#limits = { ...sessionLimits, ...options.limits });
    this.sessionId = options.sessionId;
    this.#heardAtMs = options.now;
    this.#tracer = options.trace === undefined ? null : new Tracer(options.trace, options.now);
    this.#streams = this.#makeStreams(options);
    this.#indexes = new Indexes(localIndex, remoteIndex, random, this.#events);
    this.#rekey = new Rekey({
      ...options,
      prologue: options.rekeyPrologue,
      limits,
      indexes: this.#indexes,
      queue: this.#control,
    });
    const lost = lostFate(this.#streams, this.#control);
    const congestion = options.congestion ?? ((overTcp: boolean) => new Bbr(random, { overTcp }));
    const { isUnfragmented = () => false } = options;
    const pathsOptions = { ...limits, random, congestion, isUnfragmented, events: this.#events, lost };
    this.#paths = new Paths({ ...pathsOptions, tracer: this.#tracer });
    this.#acks = new AckHomes(this.#received, this.#paths);
    this.#writer = new PacketWriter(this.#rekey, this.#indexes, this.#tracer);
    this.#limitClock = new LimitClock(options.now);
    this.#sender = this.#makeSender(options.relayData ?? true);
    this.#receiver = new PacketReceiver(
      this.#indexes,
      this.#rekey,
      this.#received,
      this.#counters,
      (arrival, path, number, plaintext, bytes) => this.#onPacket(arrival, path, number, plaintext, bytes),
    );
    this.#dispatcher = this.#makeDispatcher(lost);
    this.#refillSpares();
  }

  // Routes.

  /** The channel or leg came up or went down. The session starts on it. */
  setServerRoute(now: number, available: boolean): void {
    this.#paths.setServerRoute(now, available);
  }

  /** Whether the server's TCP carries files: not while there is no relay leg, and the channel alone drops what is too much for it. */
  setServerWide(isWide: boolean): void {
    this.#paths.limitServerBulk(isWide ? Number.POSITIVE_INFINITY : NARROW_BULK_BYTES);
  }

  /**
   * Sends one fresh challenge to this route; the caller paces. `tier`: lower is better, below {@link SERVER_TIER}. The route is used
   * once its answer has come back on it, and once a full datagram has been answered there too.
   */
  probe(now: number, route: Route, tier: number): void {
    if (this.#isOpen) this.#paths.probe(now, route, tier);
  }

  /** The system refused packets of this length: they are longer than what leaves this machine there. */
  refused(now: number, route: Route, bytes: number): void {
    this.#paths.routeOf(routeKey(route))?.path?.mtu.onRefused(now, bytes);
  }

  /** The socket is closed. */
  forget(now: number, route: Route): void {
    this.#paths.forget(now, route);
  }

  /** Packets carry another receiver index from now on, so that the old network and the new are not told to be one peer's. */
  networkChanged(): void {
    this.#paths.networkChanged();
    this.#indexes.takeRemoteSpare();
  }

  /** This receiver index of ours, which the other end was not told of yet, is another's at the relay: another takes its place. */
  discardIndex(index: number): void {
    if (this.#indexes.discard(index)) this.#refillSpares();
  }

  /** The NAT in front of us shows this socket at another address than before. */
  addressChanged(now: number, socket: number): void {
    if (this.#isOpen) this.#paths.addressChanged(now, socket);
  }

  // Streams.

  openStream(cls: StreamClass): number {
    return this.#streams.open(cls);
  }

  /** @returns how many bytes were taken, copied; when fewer than given, `stream-writable` comes later */
  write(_now: number, stream: number, bytes: Uint8Array): number {
    return this.#isOpen ? this.#streams.write(stream, bytes) : 0;
  }

  finish(_now: number, stream: number): void {
    this.#streams.finish(stream);
  }

  /** Gives up what we say: the other end hears `code`. */
  reset(_now: number, stream: number, code: number): void {
    this.#streams.reset(stream, code);
  }

  /** Asks the other end to stop talking; what still comes is dropped. */
  stop(_now: number, stream: number, code: number): void {
    this.#streams.stop(stream, code);
  }

  /** The next bytes in order; null when there are none now. Those of a bulk stream hold until they are {@link consumed}, others for good. */
  read(stream: number): Uint8Array | null {
    return this.#streams.read(stream);
  }

  /** Gives the other end credit for as much again. */
  consumed(now: number, stream: number, bytes: number): void {
    this.#streams.consumed(now, stream, bytes);
  }

  /** Written and not yet acknowledged. */
  bufferedBytes(stream: number): number {
    return this.#streams.bufferedBytes(stream);
  }

  // The rest.

  /** Unreliable, at most 1 KiB, and at most 32 waiting. @throws RangeError when longer */
  sendDatagram(_now: number, bytes: Uint8Array): void {
    if (this.#isOpen) this.#datagrams.add(bytes);
  }

  sendFrame(_now: number, frame: CarriedFrame): void {
    if (this.#isOpen) this.#control.add(frame);
  }

  /** Answered by the event `pong`. */
  ping(now: number): void {
    if (this.#isOpen) this.#pings.ask(now);
  }

  /** At once; what is still buffered is dropped. `closed` comes when the other end has answered, or after some tries. */
  close(now: number, code: ErrorCode, reason: string): void {
    const gapMs = probeTimeoutMs(this.#paths.selected(now)?.recovery.rtt ?? null);
    this.#ending.close(now, code, reason, gapMs, this.#usableRoutes().length > 0);
  }

  /** `now`: up to when the time for each reason to wait is counted; else up to when the sender last stopped. */
  stats(now = Number.NEGATIVE_INFINITY): SessionStats {
    return statsOf(now, {
      counters: this.#counters,
      checkPackets: this.#writer.checkPackets,
      sentBytes: this.#writer.sentBytes,
      receivedBytes: this.#receivedBytes,
      repeatedBytes: this.#streams.repeatedBytes,
      epoch: this.#rekey.epoch,
      paths: this.#paths,
      limitClock: this.#limitClock,
    });
  }

  // Core.

  handleDatagram(now: number, datagram: Uint8Array, from: Route): void {
    if (this.#ending.state === "closed") return;
    this.#tracer?.begin(now);
    try {
      this.#receiver.receive({ now, from, key: this.#routeKeys.of(from) }, datagram, this.#paths);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.close(now, "protocol-error", error.message);
    }
    this.#received.onBurstEnd(now);
    this.#refillSpares();
    this.#tracer?.observe(this.#paths, this.#counters, this.#rekey.epoch);
  }

  handleTimeout(now: number): void {
    if (this.#ending.state === "closed") return;
    if (!this.#isOpen) return this.#ending.handleTimeout(now);
    this.#tracer?.begin(now);
    this.#indexes.handleTimeout(now);
    this.#rekey.handleTimeout(now);
    this.#paths.handleTimeout(now);
    if (this.#rekey.sealState(now) === "spent")
      this.#ending.end("protocol-error", "the other end made no new keys", false);
    else if (now >= this.#heardAtMs + this.#limits.idleTimeoutMs)
      this.#ending.end("no-path", "nothing came from the other end for too long", false);
    this.#tracer?.observe(this.#paths, this.#counters, this.#rekey.epoch);
  }

  pollEvent(): SessionEvent | null {
    const event = this.#events.shift();
    if (event !== null) this.#tracer?.event(event);
    return event;
  }

  pollTransmit(now: number): Transmit<Route> | null {
    this.#tracer?.begin(now);
    if (this.#isOpen) return this.#sender.poll(now);
    for (let last = this.#lastWords(now); last !== null; last = this.#lastWords(now)) {
      const transmit = this.#sender.only(now, last.route, last.frame);
      if (transmit !== null) return transmit;
    }
    return null;
  }

  pollTimeout(): number | null {
    if (!this.#isOpen) return this.#ending.pollTimeout();
    const parts = [this.#sender, this.#paths, this.#rekey, this.#indexes];
    const idleAt = this.#heardAtMs + this.#limits.idleTimeoutMs;
    return parts.reduce((at, part) => Math.min(at, part.pollTimeout() ?? at), idleAt);
  }

  #onPacket(
    { now, from, key }: Arrival,
    path: ReceivePath,
    number: number,
    plaintext: Uint8Array,
    bytes: number,
  ): void {
    if (this.#ending.state === "closed") return;
    if (!this.#isEstablished) this.#events.push({ kind: "established" });
    this.#isEstablished = true;
    this.#heardAtMs = now;
    this.#receivedBytes += bytes;
    this.#tracer?.packetReceived(path.id, number, bytes, plaintext);
    const route = this.#paths.heard(now, from, key, bytes, path.id);
    this.#dispatcher.begin(now, path.id, route);
    this.#reader.read(plaintext, this.#dispatcher);
    const { asksForAck } = this.#dispatcher;
    const delayMs = ackDelayMs(route?.path?.recovery.rtt ?? null);
    if (isAcknowledged(path.id)) path.onPacket(now, number, key, asksForAck, bytes, delayMs);
  }

  get #isOpen(): boolean {
    return this.#ending.state === "open";
  }

  #lastWords(now: number): { readonly route: RouteState; readonly frame: Frame } | null {
    return this.#ending.poll(now, () => this.#usableRoutes());
  }

  #usableRoutes(): RouteState[] {
    return [...this.#paths.routes].filter((route) => route.isUsable);
  }

  #refillSpares(): void {
    const indexes = this.#indexes.refill();
    if (indexes.length > 0) this.#control.add({ kind: "spareIndexes", indexes });
  }

  #makeStreams({ initiator, windowPool = new WindowPool(GROWTH_BYTES) }: SessionOptions): Streams {
    return new Streams(initiator, this.#limits, this.#events, {
      flightBytes: () => this.#paths.selectedRoute?.path?.congestion.windowBytes ?? 0,
      rttMs: () => this.#paths.selectedRoute?.baseRttMs ?? null,
      pool: windowPool,
    });
  }

  #makeSender(relayData: boolean): Sender {
    const [paths, acks, rekey, writer] = [this.#paths, this.#acks, this.#rekey, this.#writer];
    const filler = new PacketFiller(this.#control, this.#streams, this.#datagrams);
    const copies = new PacketCopies(paths, acks, rekey, writer, this.#control, this.#streams);
    return new Sender({ paths, acks, rekey, writer, filler, copies, limitClock: this.#limitClock, relayData });
  }

  #makeDispatcher(lost: Fate): FrameDispatcher {
    return new FrameDispatcher({
      paths: this.#paths,
      streams: this.#streams,
      rekey: this.#rekey,
      indexes: this.#indexes,
      events: this.#events,
      acked: new JoinedChunks(
        ackedFate(this.#streams, this.#control, this.#received, (frame) => this.#pings.onAcked(this.#heardAtMs, frame)),
      ),
      lost,
      onClose: (code, reason) => this.#ending.onRemoteClose(this.#heardAtMs, code, reason),
    });
  }
}
