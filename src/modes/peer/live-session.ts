import type { UdpAddress } from "../../wire/address.ts";
import { toHex } from "../../wire/bytes.ts";
import { WireError, type ErrorCode } from "../../wire/errors.ts";
import { abilities } from "../../wire/messages/session.ts";
import { packetType, typeAt } from "../../wire/packet/header.ts";
import { splitByLength } from "../../wire/packet/split.ts";
import { sessionPrologue } from "../../wire/rendezvous/session-handshake.ts";
import { safetyNumber } from "../../wire/noise/safety-number.ts";
import type { CarriedFrame, SessionEvent } from "../../wire/session/events.ts";
import { SERVER_ROUTE, type Route } from "../../wire/session/route.ts";
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
import { UserError } from "../cli/errors.ts";
import { Drive } from "../runtime/driver.ts";
import type { Qlog, SessionTrace } from "../runtime/qlog.ts";
import type { Established } from "./established.ts";
import { type OwnDevice, systemRandom } from "./own-device.ts";
import type { Reason } from "./path-reasons.ts";
import type { Place } from "./place.ts";
import type { ByteReader, ByteWriter, MessagePort, PathInfo, PeerSession, SessionEnd } from "./peer-session.ts";
import { figuresOf, type SessionFigures } from "./session-figures.ts";
import type { ServerRoute } from "./server-route.ts";
import { isRelayed } from "./session-path.ts";
import { type RoutesOptions, SessionRoutes } from "./session-routes.ts";
import { SessionStreams } from "./session-streams.ts";
import type { StreamHost } from "./stream-host.ts";
import type { PacketSink } from "./udp-endpoint.ts";

export interface LiveSessionOptions extends Omit<RoutesOptions, "viaServer"> {
  readonly own: OwnDevice;
  /** Hears what happens inside; null where nobody asked for it. */
  readonly qlog: Qlog | null;
}

/** How long `close` waits for what is still queued. Milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

/** After the server says that the other end is gone, for the last packets of a relay leg. Milliseconds. */
const GRACE_MS = 300;
/** Of this program: far and fast paths of all its sessions share it. */
const windowPool = new WindowPool(GROWTH_BYTES);

/** A session with somebody's device: the core, its routes and its faces. */
export class LiveSession implements PeerSession, PacketSink {
  readonly id: string;
  readonly peer: string;
  readonly safetyNumber: string;
  readonly ended: Promise<SessionEnd>;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  readonly #connected = Promise.withResolvers<void>();
  readonly #viaServer: ServerRoute;
  readonly #options: LiveSessionOptions;
  readonly #core: Session;
  readonly #drive: Drive<SessionEvent, Route>;
  readonly #streams: SessionStreams;
  readonly #routes: SessionRoutes;
  readonly #trace: SessionTrace | null;
  readonly #indexes = new Set<number>();
  readonly #pings: PromiseWithResolvers<number>[] = [];
  #end: SessionEnd | null = null;
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
    this.#viaServer = established.route;
    this.#options = options;
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
      send: ({ bytes, to, segmentBytes }) => this.#routes.send(bytes, to, segmentBytes),
      onEvent: (event) => this.#handle(event),
      onFault: (error) => this.#fault(error),
    });
    this.#routes = new SessionRoutes(
      { ...options, viaServer: established.route },
      {
        probe: (route, tier) => this.#change((now) => this.#core.probe(now, route, tier)),
        forget: (route) => this.#change((now) => this.#core.forget(now, route)),
        say: (frame) => this.#say(frame),
        addressChanged: (socket) => this.#change((now) => this.#core.addressChanged(now, socket)),
        widen: (isWide) => this.#change(() => this.#core.setServerWide(isWide)),
        discard: (indexes) => this.#change(() => indexes.forEach((index) => this.#core.discardIndex(index))),
        giveUp: () => this.abort("no-path", "no direct path"),
      },
    );
    this.#index(localIndex);
    this.#core.setServerRoute(this.#drive.now(), true);
    this.#say({ kind: "abilities", bits: abilities.packed });
    this.#viaServer.onBody((body) => this.#receiveBody(body));
    this.#routes.begin();
    if (options.place === null) this.report(hiddenReport, false);
  }

  get control(): MessagePort {
    return this.#streams.control;
  }

  get chat(): MessagePort {
    return this.#streams.chat;
  }

  get path(): PathInfo {
    return this.#routes.path;
  }

  get relayedBecause(): Reason | null {
    return this.#routes.relayedBecause;
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
    await this.#routes.ready(this.peer);
  }

  openBulk(): ByteWriter {
    if (this.#end !== null) throw endError(this.#end);
    return this.#streams.opened(this.#core.openStream("bulk"));
  }

  onBulk(handler: (stream: ByteReader) => void): void {
    this.#streams.onBulk(handler);
  }

  sendDatagram(bytes: Uint8Array): void {
    if (this.#end === null) this.#change((now) => this.#core.sendDatagram(now, bytes));
  }

  onDatagram(handler: (bytes: Uint8Array) => void): void {
    this.#onDatagram = handler;
  }

  onPath(handler: (path: PathInfo) => void): void {
    this.#routes.onPath(handler);
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
    if (this.#end === null) this.#say({ kind: "report", wanted, ...reportToFields(report) });
  }

  async ping(): Promise<number> {
    if (this.#end !== null) throw endError(this.#end);
    const pong = Promise.withResolvers<number>();
    this.#pings.push(pong);
    this.#change((now) => this.#core.ping(now));
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
    if (isUp) this.#viaServer.renew();
    this.#change((now) => this.#core.setServerRoute(now, isUp));
    if (isUp) this.#routes.serverBack();
  }

  /** The server says that the other end's line to it broke: paths of its own may live, and it may come back. */
  serverLost(): void {
    if (this.#end !== null) return;
    this.#routes.away();
    this.#onAway();
  }

  /** The server says that the other end hung up: what is on its way over a path of our own may still come. */
  serverGone(): void {
    this.setServerRoute(false);
    if (isRelayed(this.path)) setTimeout(() => this.abort("peer-gone", "they went away"), GRACE_MS);
  }

  /** The server slows down what we send over it. */
  relayLimited(bytesPerSecond: number): void {
    if (this.#end === null) this.#routes.relayLimited(bytesPerSecond);
  }

  /** This machine is on another network: what was found on the old one may hold no more. */
  moved(place: Place): void {
    if (this.#end !== null) return;
    // By another receiver index nobody can link the two networks.
    this.#core.networkChanged();
    this.#routes.moved(place);
  }

  /** Gateways let others reach us at other addresses now. */
  portsMapped(place: Place): void {
    if (this.#end === null) this.#routes.portsMapped(place);
  }

  /** Where the server sees the other end. */
  observed(addresses: readonly UdpAddress[]): void {
    this.#routes.observed(addresses);
  }

  onPackets(datagram: Uint8Array, from: SocketRoute): void {
    const route = this.#routes.cameBy(from, datagram);
    if (route !== null) this.#drive.handleDatagram(datagram, route);
  }

  onTooLong({ socket, remote }: SocketRoute, bytes: number): void {
    this.#change((now) => this.#core.refused(now, { kind: "udp", socket, remote }, bytes));
  }

  onDrain(): void {
    this.#drive.drained();
  }

  #change<T>(run: (now: number) => T): T {
    const result = run(this.#drive.now());
    this.#drive.wake();
    return result;
  }

  #say(frame: CarriedFrame): void {
    this.#change((now) => this.#core.sendFrame(now, frame));
  }

  #host(): StreamHost {
    return {
      write: (stream, bytes) => this.#change((now) => this.#core.write(now, stream, bytes)),
      finish: (stream) => this.#change((now) => this.#core.finish(now, stream)),
      reset: (stream, code) => this.#change((now) => this.#core.reset(now, stream, code)),
      stop: (stream, code) => this.#change((now) => this.#core.stop(now, stream, code)),
      read: (stream) => this.#core.read(stream),
      consumed: (stream, bytes) => this.#change((now) => this.#core.consumed(now, stream, bytes)),
      bufferedBytes: (stream) => this.#core.bufferedBytes(stream),
      guard: (run) => this.#guardStreams(run),
    };
  }

  #receiveBody(body: Uint8Array): void {
    for (const packet of splitByLength(body)) {
      if (typeAt(packet, 0, packet.length) !== packetType.sealed) continue;
      this.#routes.cameByServer(packet);
      this.#drive.handleDatagram(packet, SERVER_ROUTE);
    }
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
        return this.#routes.setIndexes([...this.#indexes]);
      case "pong":
        return this.#pings.shift()?.resolve(event.rttMs);
      case "closed":
        return this.#finish({ code: event.code, reason: event.reason, side: event.remote ? "remote" : "local" });
      case "route-seen":
      case "route-validated":
      case "route-lost":
        return this.#routes.routeEvent(event);
      case "path-selected":
        return this.#routes.selected(event);
      default:
        return this.#guardStreams(() => this.#streams.handle(event));
    }
  }

  #heard(frame: CarriedFrame): void {
    this.#routes.heard(frame);
    if (frame.kind === "report") this.#heardReport(frame);
    else if (frame.kind === "abilities" && (frame.bits & abilities.packed) !== 0) this.#streams.pack();
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
    this.#drive.stop();
    this.#trace?.end();
    for (const index of this.#indexes) this.#unindex(index);
    const error = endError(end);
    this.#streams.end(error);
    this.#connected.reject(error);
    for (const pong of this.#pings.splice(0)) pong.reject(error);
    this.#routes.stop();
    this.#ended.resolve(end);
  }
}

function endError(end: SessionEnd): UserError {
  return new UserError(end.code, `the session has ended: ${end.reason}`, { side: end.side, hint: "connect again" });
}
