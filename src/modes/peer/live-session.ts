import type { UdpAddress } from "../../wire/address.ts";
import { toHex } from "../../wire/bytes.ts";
import { WireError, type ErrorCode } from "../../wire/errors.ts";
import { abilities } from "../../wire/messages/session.ts";
import { packetType, typeAt } from "../../wire/packet/header.ts";
import { splitByLength } from "../../wire/packet/split.ts";
import { sessionPrologue } from "../../wire/rendezvous/session-handshake.ts";
import { safetyNumber } from "../../wire/noise/safety-number.ts";
import type { CarriedFrame, SessionEvent } from "../../wire/session/events.ts";
import { RELAY_ROUTE, SERVER_ROUTE, type Route, type UdpRoute } from "../../wire/session/route.ts";
import { RELAY_TIER } from "../../wire/session/route-state.ts";
import { Session } from "../../wire/session/session.ts";
import { GROWTH_BYTES } from "../../wire/session/session-limits.ts";
import { WindowPool } from "../../wire/session/tuned-window.ts";
import type { SocketRoute } from "../../wire/traversal/inquiry.ts";
import {
  hiddenReport,
  type NetworkReport,
  reportFromFields,
  reportToFields,
} from "../../wire/traversal/network-report.ts";
import { hiddenStanding } from "../../wire/traversal/standing.ts";
import type { Standing } from "../../wire/traversal/verdict.ts";
import { UserError } from "../cli/errors.ts";
import { Drive } from "../runtime/driver.ts";
import type { Qlog, SessionTrace } from "../runtime/qlog.ts";
import type { Established } from "./established.ts";
import { type OwnDevice, systemRandom } from "./own-device.ts";
import { DirectGuard } from "./direct-guard.ts";
import { PathOutlook } from "./path-outlook.ts";
import type { Reason } from "./path-reasons.ts";
import { PathSeeker } from "./path-seeker.ts";
import type { Place } from "./place.ts";
import type { ByteReader, ByteWriter, MessagePort, PathInfo, PeerSession, SessionEnd } from "./peer-session.ts";
import { figuresOf, type SessionFigures } from "./session-figures.ts";
import { isRelayed, SessionPath } from "./session-path.ts";
import { SessionStreams } from "./session-streams.ts";
import type { StreamHost } from "./stream-host.ts";
import type { PacketSink, UdpEndpoint } from "./udp-endpoint.ts";
import { UdpRelay } from "./udp-relay.ts";

export interface LiveSessionOptions {
  readonly own: OwnDevice;
  readonly endpoint: UdpEndpoint;
  /** host:port, for the path shown while the server carries the session. */
  readonly server: string;
  /** How long it may be without a direct path, when no user data may go over the server; null when it may. Milliseconds. */
  readonly directWithinMs: number | null;
  /** Our own addresses, to tell and to keep away from; null where none may be told or used. */
  readonly place: Place | null;
  /** How this end's network stands, as far as is known by now. */
  readonly standing: () => Standing;
  /** Hears what happens inside; null where nobody asked for it. */
  readonly qlog: Qlog | null;
  readonly onFault: (error: unknown) => void;
  /** A direct path has fallen silent: the line to the server may be dead as well. May not throw. */
  readonly onDoubt: () => void;
}

/** How long `close` waits for what is still queued. Milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** After the server says that the other end is gone, for the last packets of a relay leg. Milliseconds. */
const GRACE_MS = 300;
/** Of this program: far and fast paths of all its sessions share it. */
const windowPool = new WindowPool(GROWTH_BYTES);
const NOWHERE: Place = { hostIps: [], mapped: [], network: { subnets: [], addresses: [], servers: [] } };

/** A session with somebody's device: the core, its routes and its faces. */
export class LiveSession implements PeerSession, PacketSink {
  readonly id: string;
  readonly peer: string;
  readonly safetyNumber: string;
  readonly ended: Promise<SessionEnd>;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  readonly #connected = Promise.withResolvers<void>();
  readonly #established: Established;
  readonly #options: LiveSessionOptions;
  readonly #core: Session;
  readonly #drive: Drive<SessionEvent, Route>;
  readonly #streams: SessionStreams;
  readonly #seeker: PathSeeker;
  /** Null where user data may not go over the server. */
  readonly #relay: UdpRelay | null;
  readonly #trace: SessionTrace | null;
  readonly #indexes = new Set<number>();
  readonly #pings: PromiseWithResolvers<number>[] = [];
  readonly #path: SessionPath;
  readonly #outlook: PathOutlook;
  readonly #forgetMapping: () => void;
  #end: SessionEnd | null = null;
  /** Where nothing may go over the server. */
  readonly #guard: DirectGuard | null;
  #onDatagram: (bytes: Uint8Array) => void = () => undefined;
  #onAway: () => void = () => undefined;
  #onReport: ((report: NetworkReport, wanted: boolean) => void) | null = null;
  /** It came before anybody listened; one that wants an answer is not displaced. */
  #earlyReport: (CarriedFrame & { kind: "report" }) | null = null;

  constructor(established: Established, options: LiveSessionOptions) {
    const { terms, agreed, isInitiator, localIndex, device, name } = established;
    const { identity } = options.own;
    this.id = toHex(terms.session);
    this.peer = name;
    this.safetyNumber = safetyNumber(identity.keys.publicKey, device.key);
    this.ended = this.#ended.promise;
    this.#connected.promise.catch(() => undefined);
    this.#established = established;
    this.#options = options;
    this.#path = new SessionPath(options.server);
    this.#outlook = new PathOutlook({
      own: options.place === null ? () => hiddenStanding : options.standing,
      onReason: (reason) => this.#path.explained(reason),
    });
    this.#forgetMapping = options.endpoint.onMapping(() => this.#outlook.review());
    const now = performance.now();
    this.#trace = options.qlog?.session({ id: this.id, isInitiator, now }) ?? null;
    this.#core = new Session({
      initiator: isInitiator,
      sessionId: terms.session,
      keys: agreed.keys,
      localIndex,
      remoteIndex: agreed.introduction.receiverIndex,
      staticKeys: identity.keys,
      remoteStatic: device.key,
      rekeyPrologue: (purpose) => sessionPrologue(terms, purpose),
      random: systemRandom,
      windowPool,
      relayData: options.directWithinMs === null,
      isUnfragmented: ({ socket }) => options.endpoint.isUnfragmented(socket),
      ...(this.#trace !== null && { trace: this.#trace.sink }),
      now,
    });
    this.#streams = new SessionStreams(this.#host());
    this.#drive = new Drive<SessionEvent, Route>(this.#core, {
      send: ({ bytes, to, segmentBytes }) => this.#send(bytes, to, segmentBytes),
      onEvent: (event) => this.#handle(event),
      onFault: (error) => this.#fault(error),
    });
    this.#seeker = new PathSeeker({
      endpoint: options.place === null ? null : options.endpoint,
      place: options.place ?? NOWHERE,
      server: options.server,
      probe: (route, tier) => {
        this.#core.probe(this.#drive.now(), route, tier);
        this.#drive.wake();
      },
      say: (frame) => {
        this.#core.sendFrame(this.#drive.now(), frame);
        this.#drive.wake();
      },
    });
    this.#relay = options.directWithinMs === null ? this.#relayed() : null;
    this.#guard = this.#guarded();
    this.#index(localIndex);
    this.#core.setServerRoute(this.#drive.now(), true);
    this.#core.sendFrame(this.#drive.now(), { kind: "abilities", bits: abilities.packed });
    established.route.onBody((body) => this.#receiveBody(body));
    void this.#relay?.open();
    if (options.place !== null) this.#seeker.announce();
    else this.report(hiddenReport, false);
  }

  get control(): MessagePort {
    return this.#streams.control;
  }

  get chat(): MessagePort {
    return this.#streams.chat;
  }

  get path(): PathInfo {
    return this.#path.now;
  }

  get relayedBecause(): Reason | null {
    return this.#path.reason;
  }

  get figures(): SessionFigures {
    return figuresOf(this.#core.stats(this.#drive.now()));
  }

  /** The other end is shown no address of ours, though the server knows some. */
  get isHidden(): boolean {
    return this.#options.place === null && this.#options.endpoint.sockets.length > 0;
  }

  /** Resolves when the other end has proven its keys. @throws UserError the session's end, when that came first */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /**
   * Resolves when user data can go: at once, or when a direct path stands where the server may carry none.
   * @throws UserError `no-path` when none comes up in time
   */
  async ready(): Promise<void> {
    if (this.#guard !== null && !(await this.#guard.firstPath))
      throw this.#guard.failure(this.peer, this.#outlook.reasonByNow);
  }

  openBulk(): ByteWriter {
    if (this.#end !== null) throw endError(this.#end);
    return this.#streams.opened(this.#core.openStream("bulk"));
  }

  onBulk(handler: (stream: ByteReader) => void): void {
    this.#streams.onBulk(handler);
  }

  sendDatagram(bytes: Uint8Array): void {
    if (this.#end !== null) return;
    this.#core.sendDatagram(this.#drive.now(), bytes);
    this.#drive.wake();
  }

  onDatagram(handler: (bytes: Uint8Array) => void): void {
    this.#onDatagram = handler;
  }

  onPath(handler: (path: PathInfo) => void): void {
    this.#path.onChange(handler);
  }

  onAway(handler: () => void): void {
    this.#onAway = handler;
  }

  onReport(handler: (report: NetworkReport, wanted: boolean) => void): void {
    this.#onReport = handler;
    if (this.#earlyReport !== null) this.#heardReport(this.#earlyReport);
    this.#earlyReport = null;
  }

  report(report: NetworkReport, wanted: boolean): void {
    if (this.#end !== null) return;
    this.#core.sendFrame(this.#drive.now(), { kind: "report", wanted, ...reportToFields(report) });
    this.#drive.wake();
  }

  async ping(): Promise<number> {
    if (this.#end !== null) throw endError(this.#end);
    const pong = Promise.withResolvers<number>();
    this.#pings.push(pong);
    this.#core.ping(this.#drive.now());
    this.#drive.wake();
    return pong.promise;
  }

  async close(code: ErrorCode = "peer-gone", reason = "finished"): Promise<void> {
    if (this.#end !== null) return;
    const flushed = Promise.allSettled([this.control.flushed(), this.chat.flushed()]);
    await Promise.race([flushed, this.ended, Bun.sleep(CLOSE_TIMEOUT_MS)]);
    this.abort(code, reason);
  }

  /** Ends it now, telling the other end if a path is up. */
  abort(code: ErrorCode, reason: string): void {
    if (this.#end !== null) return;
    this.#core.close(this.#drive.now(), code, reason);
    this.#drive.flush();
    this.#finish({ code, reason, side: "local" });
  }

  /** The line to the server came or went. */
  setServerRoute(isUp: boolean): void {
    if (this.#end !== null) return;
    if (isUp) this.#established.route.renew();
    this.#core.setServerRoute(this.#drive.now(), isUp);
    this.#drive.wake();
    if (isUp) void this.#relay?.open();
  }

  /** The server says that the other end's line to it broke: paths of its own may live, and it may come back. */
  serverLost(): void {
    if (this.#end !== null) return;
    this.#outlook.away(true);
    this.#onAway();
  }

  /** The server says that the other end hung up: what is on its way over a path of our own may still come. */
  serverGone(): void {
    this.setServerRoute(false);
    if (this.#path.isRelayed) setTimeout(() => this.abort("peer-gone", "they went away"), GRACE_MS);
  }

  /** The server slows down what we send over it. */
  relayLimited(bytesPerSecond: number): void {
    if (this.#end === null) this.#path.relayLimited(bytesPerSecond);
  }

  /** This machine is on another network: what was found on the old one may hold no more. */
  moved(place: Place): void {
    if (this.#end !== null) return;
    // By another receiver index nobody can link the two networks.
    this.#core.networkChanged();
    this.#relay?.moved();
    if (this.#options.place === null) return;
    this.#seeker.moved(place);
    this.#outlook.restart();
    this.#seeker.announce();
  }

  /** Gateways let others reach us at other addresses now. */
  portsMapped(place: Place): void {
    if (this.#end !== null || this.#options.place === null) return;
    this.#seeker.mapped(place);
    this.#outlook.review();
  }

  /** Where the server sees the other end. */
  observed(addresses: readonly UdpAddress[]): void {
    this.#seeker.attested(addresses);
    this.#outlook.attested(addresses);
    this.#outlook.away(false);
  }

  onPackets(datagram: Uint8Array, from: SocketRoute): void {
    if (this.#relay?.owns(from) === true) this.#drive.handleDatagram(datagram, RELAY_ROUTE);
    // An answer to anybody else would show him an address of ours.
    else if (this.#options.place !== null) this.#drive.handleDatagram(datagram, { kind: "udp", ...from });
  }

  onTooLong({ socket, remote }: SocketRoute, bytes: number): void {
    this.#core.refused(this.#drive.now(), { kind: "udp", socket, remote }, bytes);
    this.#drive.wake();
  }

  onDrain(): void {
    this.#drive.drained();
  }

  #host(): StreamHost {
    const change = <T>(run: (now: number) => T): T => {
      const result = run(this.#drive.now());
      this.#drive.wake();
      return result;
    };
    return {
      write: (stream, bytes) => change((now) => this.#core.write(now, stream, bytes)),
      finish: (stream) => change((now) => this.#core.finish(now, stream)),
      reset: (stream, code) => change((now) => this.#core.reset(now, stream, code)),
      stop: (stream, code) => change((now) => this.#core.stop(now, stream, code)),
      read: (stream) => this.#core.read(stream),
      consumed: (stream, bytes) => change((now) => this.#core.consumed(now, stream, bytes)),
      bufferedBytes: (stream) => this.#core.bufferedBytes(stream),
      guard: (run) => this.#guardStreams(run),
    };
  }

  #relayed(): UdpRelay {
    const { endpoint, onFault } = this.#options;
    const change = (run: (now: number) => void) => {
      run(this.#drive.now());
      this.#drive.wake();
    };
    return new UdpRelay({
      endpoint,
      ask: () => this.#established.route.leg(),
      probe: () => change((now) => this.#core.probe(now, RELAY_ROUTE, RELAY_TIER)),
      onRefused: (indexes) => change(() => indexes.forEach((index) => this.#core.discardIndex(index))),
      onFault,
    });
  }

  #guarded(): DirectGuard | null {
    const { directWithinMs } = this.#options;
    if (directWithinMs === null) return null;
    const guard = new DirectGuard(directWithinMs, () => this.abort("no-path", "no direct path"));
    void this.ended.then(() => guard.stop());
    return guard;
  }

  #receiveBody(body: Uint8Array): void {
    for (const packet of splitByLength(body))
      if (typeAt(packet, 0, packet.length) === packetType.sealed) this.#drive.handleDatagram(packet, SERVER_ROUTE);
  }

  #send(bytes: Uint8Array, to: Route, segmentBytes: number): boolean {
    if (to.kind === "udp") return this.#sendDirect(bytes, to, segmentBytes);
    if (to.kind === "relay") return this.#relay?.send(bytes, segmentBytes) ?? true;
    for (let at = 0; at < bytes.length; at += segmentBytes)
      this.#established.route.send(bytes.subarray(at, at + segmentBytes));
    return true;
  }

  #sendDirect(bytes: Uint8Array, to: UdpRoute, segmentBytes: number): boolean {
    const { endpoint } = this.#options;
    if (to.hopLimit === undefined) return endpoint.send(bytes, to, segmentBytes);
    endpoint.sendWithin(to.hopLimit, bytes, to);
    return true;
  }

  #handle(event: SessionEvent): void {
    switch (event.kind) {
      case "established":
        return this.#connected.resolve();
      case "datagram":
        return this.#onDatagram(event.bytes);
      case "frame":
        return this.#heard(event.frame);
      case "indexes":
        event.add.forEach((index) => this.#index(index));
        event.retire.forEach((index) => this.#unindex(index));
        return this.#relay?.setIndexes([...this.#indexes]);
      case "pong":
        return this.#pings.shift()?.resolve(event.rttMs);
      case "closed":
        return this.#finish({ code: event.code, reason: event.reason, side: event.remote ? "remote" : "local" });
      case "route-seen":
      case "route-validated":
      case "route-lost":
        if (event.kind === "route-lost" && this.#path.isOn(event.route)) this.#guard?.lost();
        return event.route.kind === "relay" ? this.#relay?.routeEvent(event) : this.#seeker.routeEvent(event);
      case "path-selected":
        return this.#moved(event);
      default:
        return this.#guardStreams(() => this.#streams.handle(event));
    }
  }

  #heard(frame: CarriedFrame): void {
    this.#outlook.heard(frame);
    if (frame.kind === "report") this.#heardReport(frame);
    else if (frame.kind !== "abilities") this.#seeker.heard(frame);
    else if ((frame.bits & abilities.packed) !== 0) this.#streams.pack();
  }

  #heardReport(frame: CarriedFrame & { kind: "report" }): void {
    if (this.#onReport !== null) this.#onReport(reportFromFields(frame), frame.wanted);
    else if (this.#earlyReport?.wanted !== true) this.#earlyReport = frame;
  }

  #guardStreams(run: () => void): void {
    try {
      run();
    } catch (error) {
      // What the other end wrote makes no sense: its session ends, and nobody else's.
      if (!(error instanceof WireError)) throw error;
      this.abort(error.code === "unknown-type" ? "protocol-error" : error.code, error.message);
    }
  }

  /** Our NAT may have given us other addresses, and with them ended more than this path. */
  #doubt(): void {
    this.#options.endpoint.refresh();
    this.#options.onDoubt();
  }

  #moved({ route, rttMs, why }: SessionEvent & { kind: "path-selected" }): void {
    if (this.#path.now.kind === "relay-udp" && route.kind === "server") this.#relay?.doubt();
    const path = this.#seeker.describe(route, rttMs ?? 0, why);
    if (isRelayed(path) && !isRelayed(this.#path.now)) this.#doubt();
    this.#guard?.moved(path);
    this.#outlook.moved(!isRelayed(path));
    this.#path.moved(path);
  }

  #index(index: number): void {
    this.#indexes.add(index);
    this.#options.endpoint.register(index, this);
  }

  #unindex(index: number): void {
    this.#indexes.delete(index);
    this.#options.endpoint.retire(index, this);
  }

  #fault(error: unknown): void {
    this.#options.onFault(error);
    this.abort("internal", "a defect of the other program");
  }

  #finish(end: SessionEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#seeker.stop();
    this.#outlook.stop();
    this.#forgetMapping();
    this.#drive.stop();
    this.#trace?.end();
    for (const index of this.#indexes) this.#unindex(index);
    const error = endError(end);
    this.#streams.end(error);
    this.#connected.reject(error);
    for (const pong of this.#pings.splice(0)) pong.reject(error);
    this.#relay?.close();
    this.#established.route.close();
    this.#ended.resolve(end);
  }
}

export function endError(end: SessionEnd): UserError {
  return new UserError(end.code, `the session has ended: ${end.reason}`, { side: end.side, hint: "connect again" });
}
