import { utf8 } from "../../src/wire/bytes.ts";
import { type HandshakeResult, HandshakeState } from "../../src/wire/noise/handshake.ts";
import { KKpsk0 } from "../../src/wire/noise/patterns.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { RELAY_ROUTE, type Route, SERVER_ROUTE } from "../../src/wire/session/route.ts";
import { Session, type SessionOptions } from "../../src/wire/session/session.ts";
import type { SessionLimits } from "../../src/wire/session/session-limits.ts";
import type { TraceSink } from "../../src/wire/session/trace.ts";
import { SimEnd } from "./end.ts";
import { manyRekeys } from "./quick-rekeys.ts";
import type { Link, LinkOptions } from "./link.ts";
import type { SimNetwork } from "./network.ts";

/** A route as both ends call it, and its two directions. */
export interface SimRoute {
  readonly fromA: Route;
  readonly fromB: Route;
  readonly aToB: Link;
  readonly bToA: Link;
}

export interface PairOptions {
  readonly server?: LinkOptions | null;
  /** New keys are made every 16 to 64 packets unless this says otherwise. */
  readonly limits?: Partial<SessionLimits>;
  readonly session?: Partial<SessionOptions>;
  /** Hears what happens inside `a`. */
  readonly trace?: TraceSink;
  /** How far the clock of `b` is ahead. Milliseconds. */
  readonly clockAheadMs?: number;
}

/** Links as people have them. Rates in bytes per ms: 125 is 1 Mbit/s. */
export const links = {
  /** Over the server's TCP: loses nothing, overtakes nothing, takes its time. */
  server: { delayMs: 60, rate: 500, queueBytes: 4_000_000, ordered: true },
  home: { delayMs: 20, jitterMs: 2, rate: 2_500, queueBytes: 128_000 },
  lan: { delayMs: 0.2, rate: 50_000, queueBytes: 1_000_000 },
  cellular: { delayMs: 45, jitterMs: 15, loss: 0.02, rate: 1_250, queueBytes: 256_000 },
  awful: { delayMs: 40, jitterMs: 20, loss: 0.3, duplicate: 0.1, reorder: 0.1, rate: 1_250, queueBytes: 128_000 },
} satisfies Record<string, LinkOptions>;

/** Two sessions with the keys of one real handshake, and the routes between them. `a` was the initiator. */
export class SimPair {
  readonly network: SimNetwork;
  readonly a: SimEnd;
  readonly b: SimEnd;
  readonly server: SimRoute | null;
  #sockets = 0;

  constructor(
    network: SimNetwork,
    { server = links.server, limits = {}, session = {}, trace, clockAheadMs = 0 }: PairOptions = {},
  ) {
    this.network = network;
    const [a, b] = sessionOptions(network, { limits: { ...manyRekeys(network.seed), ...limits }, ...session });
    this.a = new SimEnd(network, "a", new Session(trace === undefined ? a : { ...a, trace }));
    this.b = new SimEnd(network, "b", new Session({ ...b, now: network.now + clockAheadMs }), clockAheadMs);
    this.server = server === null ? null : this.#cable(SERVER_ROUTE, SERVER_ROUTE, server, server);
    if (server !== null) this.setServer(true);
  }

  setServer(available: boolean): void {
    for (const end of [this.a, this.b]) end.do((session, now) => session.setServerRoute(now, available));
  }

  /** Another UDP route, as yet unknown to both. */
  addRoute(aToB: LinkOptions, bToA: LinkOptions = aToB): SimRoute {
    const n = ++this.#sockets;
    const fromA: Route = { kind: "udp", socket: n, remote: { ip: `198.51.100.${n}`, port: 4_000 + n } };
    const fromB: Route = { kind: "udp", socket: n, remote: { ip: `203.0.113.${n}`, port: 5_000 + n } };
    return this.#cable(fromA, fromB, aToB, bToA);
  }

  /** The server's UDP, as yet unknown to both. */
  addRelay(link: LinkOptions): SimRoute {
    return this.#cable(RELAY_ROUTE, RELAY_ROUTE, link, link);
  }

  /** Both probe the route every 100 ms until both send data on it. */
  open(route: SimRoute, tier = 1, limitMs = 20_000): void {
    const isOpen = () => this.#isSelected(this.a, route.fromA) && this.#isSelected(this.b, route.fromB);
    const probe = () => {
      if (isOpen()) return;
      this.a.do((session, now) => session.probe(now, route.fromA, tier));
      this.b.do((session, now) => session.probe(now, route.fromB, tier));
      this.network.in(100, probe);
    };
    probe();
    this.network.runUntil(isOpen, limitMs, "the route");
  }

  #isSelected(end: SimEnd, route: Route): boolean {
    const selected = end.session.stats().paths.find((path) => path.isSelected);
    return JSON.stringify(selected?.route) === JSON.stringify(route);
  }

  #cable(fromA: Route, fromB: Route, aToB: LinkOptions, bToA: LinkOptions): SimRoute {
    const route = { fromA, fromB, aToB: this.network.link(aToB), bToA: this.network.link(bToA) };
    this.a.plug(fromA, { link: route.aToB, to: this.b, as: fromB });
    this.b.plug(fromB, { link: route.bToA, to: this.a, as: fromA });
    return route;
  }
}

/** What both ends of a session start from: the results of a real handshake. The first was its initiator. */
export function sessionOptions(
  network: SimNetwork,
  more: Partial<SessionOptions> = {},
): [SessionOptions, SessionOptions] {
  const random = network.random.fork();
  const [keysA, keysB] = [KeyPair.generate(random.bytes), KeyPair.generate(random.bytes)];
  const sessionId = random.bytes(16);
  const prologue = (purpose: string) => utf8(`sim ${purpose}`);
  const side = (role: "initiator" | "responder", s: KeyPair, { publicKey: rs }: KeyPair) => {
    const psks = [new Uint8Array(32)];
    return new HandshakeState({
      pattern: KKpsk0,
      role,
      prologue: prologue("session"),
      s,
      rs,
      psks,
      random: random.bytes,
    });
  };
  const [first, second] = [side("initiator", keysA, keysB), side("responder", keysB, keysA)];
  second.readMessage(first.writeMessage(new Uint8Array()));
  first.readMessage(second.writeMessage(new Uint8Array()));
  const options = (initiator: boolean, result: HandshakeResult, s: KeyPair, other: KeyPair): SessionOptions => ({
    initiator,
    sessionId,
    keys: { send: result.send.takeKey(), receive: result.receive.takeKey(), export: result.exportSecret },
    localIndex: initiator ? 1 : 2,
    remoteIndex: initiator ? 2 : 1,
    staticKeys: s,
    remoteStatic: other.publicKey,
    rekeyPrologue: prologue,
    random: random.fork().bytes,
    isUnfragmented: () => true,
    now: network.now,
    ...more,
  });
  return [options(true, first.split(), keysA, keysB), options(false, second.split(), keysB, keysA)];
}
