import { join } from "node:path";
import type { UdpAddress } from "../../src/wire/address.ts";
import { splitByLength } from "../../src/wire/packet/split.ts";
import { sessionPrologue } from "../../src/wire/rendezvous/session-handshake.ts";
import type { CarriedFrame, SessionEvent } from "../../src/wire/session/events.ts";
import { type Route, SERVER_ROUTE } from "../../src/wire/session/route.ts";
import { Session } from "../../src/wire/session/session.ts";
import { UserError } from "../../src/modes/cli/errors.ts";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { ask } from "../../src/modes/peer/asking.ts";
import type { Established } from "../../src/modes/peer/established.ts";
import { openHome } from "../../src/modes/peer/home.ts";
import { openOrCreateIdentity } from "../../src/modes/peer/identity.ts";
import { type OwnDevice, ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { Switchboard } from "../../src/modes/peer/switchboard.ts";
import { Drive } from "../../src/modes/runtime/driver.ts";
import { requestUnder } from "../unit/modes/server/tickets.ts";

/** Where somebody registers: a folder for the home, and a line that lets in. */
export interface Town {
  readonly folder: string;
  readonly joinLine: string;
}

/** A UDP socket of its own, and what went over it. */
export interface EvilSocket {
  readonly port: number;
  sentBytes: number;
  heardBytes: number;
  heard: number;
}

/**
 * Somebody with an account and the keys of a session, who means no good: everything it says is authentic, and it says what it is told to.
 * On UDP it answers nothing.
 */
export class EvilPeer implements AsyncDisposable {
  readonly sockets: EvilSocket[] = [];
  readonly #link: ServerLink;
  readonly #own: OwnDevice;
  readonly #switchboard = new Switchboard();
  readonly #udp: Bun.udp.Socket<"buffer">[] = [];
  readonly #pongs: (() => void)[] = [];
  #session: Session | null = null;
  #drive: Drive<SessionEvent, Route> | null = null;
  #established: Established | null = null;

  private constructor(link: ServerLink, own: OwnDevice) {
    this.#link = link;
    this.#own = own;
    link.onMessage = (message) => this.#switchboard.handle(message);
  }

  static async register({ folder, joinLine }: Town, name: string): Promise<EvilPeer> {
    const { secure, nodes, key, invite } = parseJoinLine(joinLine);
    if (key === null) throw new UserError("usage", "a join line without a key");
    const identity = openOrCreateIdentity(openHome(join(folder, `${name}-evil`)), systemRandom);
    const deviceList = ownDeviceList(identity);
    const link = new ServerLink({ secure, nodes, key }, identity.keys);
    const enrolment = { password: `correct horse ${name}`, label: name, signKey: identity.signing.publicKey };
    const { userId, deviceId } = await link.signIn({ kind: "register", name, ...enrolment, deviceList, invite });
    return new EvilPeer(link, { identity, userId, deviceId, deviceList });
  }

  /** A session with somebody who accepts chats, over the server. */
  async meet(name: string): Promise<void> {
    const person = await this.#link.request({ kind: "findPerson", name });
    if (person.kind !== "person") throw new Error(`nobody is called ${name}`);
    const exchange = { link: this.#link, switchboard: this.#switchboard, own: this.#own };
    const { userId, devices } = person;
    const established = await ask(exchange, { name, userId, devices }, { purpose: "chat", waitMs: 20_000 });
    if (established === null) throw new Error("rings have crossed");
    this.#take(established);
    await this.ping();
  }

  /** More sockets to send from. */
  async open(count: number, ip = "127.0.0.1"): Promise<void> {
    for (let opened = 0; opened < count; opened++) {
      const state = { port: 0, sentBytes: 0, heardBytes: 0, heard: 0 };
      const data = (_: unknown, datagram: Uint8Array): void => {
        state.heard++;
        state.heardBytes += datagram.length;
      };
      const socket = await Bun.udpSocket({ hostname: ip, socket: { data, error: () => undefined } });
      state.port = socket.port;
      this.sockets.push(state);
      this.#udp.push(socket);
    }
  }

  /** Has the server observe it at an address of this machine, which it then tells the other end. */
  async beSeenAt(ip: string, server: UdpAddress): Promise<void> {
    const ticket = await this.#link.request({ kind: "getTicket" });
    if (ticket.kind !== "ticket") throw new Error("no ticket");
    await this.open(1, ip);
    this.#udp.at(-1)?.send(requestUnder(ticket, 1), server.port, server.ip);
  }

  /** Over the server. */
  say(frame: CarriedFrame): void {
    this.#session?.sendFrame(performance.now(), frame);
    this.#drive?.wake();
  }

  /** A challenge, out of one of its sockets. */
  challenge(socket: number, remote: UdpAddress): void {
    this.#session?.probe(performance.now(), { kind: "udp", socket, remote }, 0);
    this.#drive?.flush();
  }

  /** Resolves when the other end has answered: the session lives. */
  async ping(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pongs.push(resolve);
    this.#session?.ping(performance.now());
    this.#drive?.wake();
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.close(performance.now(), "peer-gone", "enough");
    this.#drive?.flush();
    await Bun.sleep(50); // for the last word to leave
    this.#drive?.stop();
    this.#established?.route.close();
    this.#link.close();
    for (const socket of this.#udp) socket.close();
  }

  #take(established: Established): void {
    const { terms, agreed, isInitiator, localIndex, device, route } = established;
    const session = new Session({
      initiator: isInitiator,
      sessionId: terms.session,
      keys: agreed.keys,
      localIndex,
      remoteIndex: agreed.introduction.receiverIndex,
      staticKeys: this.#own.identity.keys,
      remoteStatic: device.key,
      rekeyPrologue: (purpose) => sessionPrologue(terms, purpose),
      random: systemRandom,
      now: performance.now(),
    });
    const drive = new Drive<SessionEvent, Route>(session, {
      send: ({ bytes, to, segmentBytes }) => this.#send(bytes, to, segmentBytes),
      onEvent: (event) => event.kind === "pong" && this.#pongs.shift()?.(),
      onFault: (error) => process.emitWarning(String(error)),
    });
    [this.#session, this.#drive, this.#established] = [session, drive, established];
    session.setServerRoute(performance.now(), true);
    const sink = (message: { readonly kind: string }): void => {
      if (message.kind === "forward" && "body" in message && message.body instanceof Uint8Array)
        route.received(message.body);
    };
    this.#switchboard.connect(terms.session, sink);
    route.onBody((body) => {
      for (const packet of splitByLength(body)) drive.handleDatagram(packet, SERVER_ROUTE);
    });
    drive.wake();
  }

  #send(bytes: Uint8Array, to: Route, segmentBytes: number): boolean {
    for (let at = 0; at < bytes.length; at += segmentBytes) {
      const packet = bytes.slice(at, at + segmentBytes);
      if (to.kind !== "udp") this.#established?.route.send(packet);
      else this.#sendUdp(packet, to.socket, to.remote);
    }
    return true;
  }

  #sendUdp(packet: Uint8Array, socket: number, { ip, port }: UdpAddress): void {
    const state = this.sockets[socket];
    if (state === undefined) throw new RangeError(`there is no socket ${socket}`);
    state.sentBytes += packet.length;
    this.#udp[socket]?.send(packet, port, ip);
  }
}
