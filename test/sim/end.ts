import type { Frame } from "../../src/wire/messages/session.ts";
import type { SessionEvent } from "../../src/wire/session/events.ts";
import { type Route, routeKey } from "../../src/wire/session/route.ts";
import type { Session } from "../../src/wire/session/session.ts";
import type { Link } from "./link.ts";
import type { SimHost, SimNetwork } from "./network.ts";

/** Where a route of one end leads. */
interface Cable {
  readonly link: Link;
  readonly to: SimEnd;
  /** What the other end calls this route. */
  readonly as: Route;
}

/** What was read of a stream. */
export interface Inbox {
  readonly parts: Uint8Array[];
  bytes: number;
  isFinished: boolean;
  resetCode: number | null;
}

/** One end of a simulated pair: a session, its routes, and a user who reads whatever comes. */
export class SimEnd implements SimHost {
  readonly name: string;
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  readonly inboxes = new Map<number, Inbox>();
  readonly captured: { readonly bytes: Uint8Array; readonly to: Route }[] = [];
  /** Looks at, and may change or swallow, what is about to leave. */
  tap: ((bytes: Uint8Array, to: Route) => Uint8Array | null) | null = null;
  /** False: bytes are left where they are. */
  reads = true;
  /** Called for each event, before anything is done with it. */
  onEvent: ((event: SessionEvent) => void) | null = null;
  isCapturing = false;
  readonly #network: SimNetwork;
  readonly #cables = new Map<string, Cable>();
  /** How far this end's clock is ahead of the network's. Milliseconds. */
  #aheadMs: number;
  #wakeAt: number | null = null;

  constructor(network: SimNetwork, name: string, session: Session, clockAheadMs = 0) {
    this.#network = network;
    this.#aheadMs = clockAheadMs;
    this.name = name;
    this.session = session;
    network.add(this);
  }

  plug(route: Route, cable: Cable): void {
    this.#cables.set(routeKey(route), cable);
  }

  /** By this end's own clock. */
  get now(): number {
    return this.#network.now + this.#aheadMs;
  }

  /** The clock goes on from a later hour, as after a sleep. */
  jump(ms: number): void {
    this.#aheadMs += ms;
    this.wake();
  }

  /** By the network's clock. Between two clocks a deadline is rounded, so an end with its own wakes a nanosecond late rather than early. */
  wakeAt(): number | null {
    const lateMs = this.#aheadMs === 0 ? 0 : 1e-6;
    return this.#wakeAt === null ? null : this.#wakeAt - this.#aheadMs + lateMs;
  }

  wake(): void {
    this.session.handleTimeout(this.now);
    this.flush();
  }

  receive(bytes: Uint8Array, from: Route): void {
    this.session.handleDatagram(this.now, bytes, from);
    this.flush();
  }

  /** Runs a command on the session and sends what comes of it. */
  do<T>(command: (session: Session, now: number) => T): T {
    const result = command(this.session, this.now);
    this.flush();
    return result;
  }

  flush(): void {
    const { now } = this;
    for (let event = this.session.pollEvent(); event !== null; event = this.session.pollEvent()) this.#take(event);
    for (let out = this.session.pollTransmit(now); out !== null; out = this.session.pollTransmit(now))
      for (let at = 0; at < out.bytes.length; at += out.segmentBytes)
        this.#send(out.bytes.subarray(at, at + out.segmentBytes), out.to);
    this.#wakeAt = this.session.pollTimeout();
    // Sending may have raised events, such as a change of path.
    for (let event = this.session.pollEvent(); event !== null; event = this.session.pollEvent()) this.#take(event);
  }

  inbox(stream: number): Inbox {
    const known = this.inboxes.get(stream);
    if (known !== undefined) return known;
    const inbox: Inbox = { parts: [], bytes: 0, isFinished: false, resetCode: null };
    this.inboxes.set(stream, inbox);
    return inbox;
  }

  has(kind: SessionEvent["kind"]): boolean {
    return this.events.some((event) => event.kind === kind);
  }

  last<Kind extends SessionEvent["kind"]>(kind: Kind): Extract<SessionEvent, { kind: Kind }> | undefined {
    return this.events.findLast((event): event is Extract<SessionEvent, { kind: Kind }> => event.kind === kind);
  }

  frames(): Frame[] {
    return this.events.flatMap((event) => (event.kind === "frame" ? [event.frame] : []));
  }

  /** Reads all there is, and gives credit for it. */
  drain(stream: number): void {
    const inbox = this.inbox(stream);
    for (let part = this.session.read(stream); part !== null; part = this.session.read(stream)) {
      inbox.parts.push(part.slice());
      inbox.bytes += part.length;
      this.session.consumed(this.now, stream, part.length);
    }
  }

  #take(event: SessionEvent): void {
    this.events.push(event);
    this.onEvent?.(event);
    if (event.kind === "stream-readable" && this.reads) this.drain(event.stream);
    if (event.kind === "stream-finished") this.inbox(event.stream).isFinished = true;
    if (event.kind === "stream-reset") this.inbox(event.stream).resetCode = event.code;
  }

  #send(bytes: Uint8Array, to: Route): void {
    if (this.#cables.get(routeKey(to))?.link.refuses(bytes.length) === true)
      return this.session.refused(this.now, to, bytes.length);
    if (this.isCapturing) this.captured.push({ bytes: bytes.slice(), to });
    const cable = this.#cables.get(routeKey(to));
    const out = this.tap === null ? bytes : this.tap(bytes, to);
    if (cable !== undefined && out !== null)
      this.#network.carry(cable.link, out, (copy) => cable.to.receive(copy, cable.as));
  }
}
