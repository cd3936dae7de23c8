import { sameAddress, type UdpAddress } from "../../src/wire/address.ts";
import type { SessionEvent } from "../../src/wire/session/events.ts";
import type { Route } from "../../src/wire/session/route.ts";
import { Traversal, type TraversalEvent } from "../../src/wire/traversal/traversal.ts";
import type { SimEnd } from "./end.ts";
import type { NatProgram } from "./nat-program.ts";
import type { SimHost, SimNetwork } from "./network.ts";

/** A session of a program, and the search for its direct paths: what modes/peer does with them, on the simulator's clock. */
export class NatPeer implements SimHost {
  readonly end: SimEnd;
  readonly program: NatProgram;
  /** Most sockets the program had open at one time. */
  peakSockets = 0;
  readonly #network: SimNetwork;
  readonly #traversal: Traversal;
  #wasDirect = false;
  #seenAt: UdpAddress | null = null;
  /** The session has told it something: it is asked what comes of that before time goes on. */
  #hasNews = false;

  constructor(network: SimNetwork, end: SimEnd, program: NatProgram) {
    this.#network = network;
    this.end = end;
    this.program = program;
    const { own, turn, socket } = program;
    this.#traversal = new Traversal({ own, random: network.random.fork().bytes, turn });
    this.#traversal.addLocal(network.now, { socket, family: 4 });
    program.onPacket = (bytes, from) => end.receive(bytes, { kind: "udp", ...from });
    program.onMapping = () => this.#learnMapping();
    end.tap = (bytes, to) => this.#send(bytes, to);
    end.onEvent = (event) => this.#take(event);
    network.add(this);
    this.#announce();
  }

  /** The route that data takes. */
  get route(): Route | null {
    return this.end.session.stats().paths.find(({ isSelected }) => isSelected)?.route ?? null;
  }

  get isDirect(): boolean {
    return this.route?.kind === "udp";
  }

  /** The server told where it sees the other end. */
  attested(addresses: readonly UdpAddress[]): void {
    this.#traversal.attested(this.#network.now, addresses);
    this.wake();
  }

  /** The machine has noticed that it is on another network. */
  moved(): void {
    this.end.do((session) => session.networkChanged());
    this.#traversal.restart(this.#network.now, this.program.own);
    this.wake();
    this.#announce();
    this.program.gather();
  }

  wakeAt(): number | null {
    return this.#hasNews ? this.#network.now : this.#traversal.pollTimeout();
  }

  wake(): void {
    const { now } = this.#network;
    this.#hasNews = false;
    for (let probe = this.#traversal.pollProbe(now); probe !== null; probe = this.#traversal.pollProbe(now)) {
      const { socket, remote, tier, hopLimit } = probe;
      const route: Route = { kind: "udp", socket, remote, ...(hopLimit !== null && { hopLimit }) };
      this.end.do((session) => session.probe(now, route, tier));
    }
    for (let event = this.#traversal.pollEvent(); event !== null; event = this.#traversal.pollEvent())
      this.#carryOut(event);
  }

  #announce(): void {
    const { host } = this.program.side;
    this.#learnMapping();
    const address = { ip: host.ip, port: host.portOf(this.program.socket) };
    this.#traversal.announce([{ type: "host", address }]);
    this.wake();
  }

  #learnMapping(): void {
    const { mapping, seenAt } = this.program;
    this.#traversal.setOwnMapping(mapping, seenAt);
    if (seenAt !== null && this.#seenAt !== null && !sameAddress(seenAt, this.#seenAt))
      this.end.do((session, now) => session.addressChanged(now, this.program.socket));
    this.#seenAt = seenAt ?? this.#seenAt;
    this.wake();
  }

  #carryOut(event: TraversalEvent): void {
    if (event.kind === "say") this.end.do((session, now) => session.sendFrame(now, event.frame));
    else if (event.kind === "sockets-unwanted") this.program.closeSockets(event.sockets);
    else this.#openSpares(event.sockets, event.surveyed);
  }

  #openSpares(count: number, surveyed: number): void {
    const sockets = this.program.openSockets(count);
    this.peakSockets = Math.max(this.peakSockets, this.program.side.host.openSockets);
    this.program.survey(sockets.slice(0, surveyed), (addresses) =>
      // Sockets are not opened in no time, and nobody hears of them within what asked for them.
      this.#network.in(0, () => {
        this.#traversal.socketsOpened(this.#network.now, sockets, addresses);
        this.wake();
      }),
    );
  }

  #send(bytes: Uint8Array, to: Route): Uint8Array | null {
    if (to.kind === "udp") this.program.send(bytes, to, to.hopLimit);
    return to.kind === "udp" ? null : bytes;
  }

  #take(event: SessionEvent): void {
    const { now } = this.#network;
    this.#hasNews = true;
    if (event.kind === "frame" && event.frame.kind !== "abilities" && event.frame.kind !== "report")
      this.#traversal.heard(now, event.frame);
    if (event.kind === "path-selected") this.#moved(event.route.kind === "udp");
    if (!("route" in event) || event.route.kind !== "udp") return;
    const { socket, remote } = event.route;
    if (event.kind === "route-seen") this.#traversal.seen(now, socket, remote);
    if (event.kind === "route-validated") this.#traversal.validated(now, socket, remote);
    if (event.kind === "route-lost") this.#traversal.lost(now, socket, remote);
  }

  #moved(isDirect: boolean): void {
    if (this.#wasDirect && !isDirect) this.program.refresh();
    this.#wasDirect = isDirect;
  }
}
