import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import type { KeyPair } from "../../wire/noise/primitives.ts";
import type { Answer, Request } from "../../wire/rendezvous/peer-end.ts";
import { UserError } from "../cli/errors.ts";
import type { ServerNode } from "../cli/join-line.ts";
import { type ChannelEnd, type ChannelSocket, errorOf, ServerBusy } from "./channel-socket.ts";
import { FirstToOpen } from "./first-to-open.ts";
import { NodeOpening } from "./node-opening.ts";
import { placeOfNode } from "./node-place.ts";
import { proxyFor } from "./proxy.ts";
import { mostTelling, type ServerAddress, urlOf } from "./server-address.ts";

export type SignedIn = Answer & { readonly kind: "signedIn" };

/** Delay before the n-th try to come back: 0.2 s · 2ⁿ, at most 30 s, ± 50 % so that a restarted server is not stormed. Milliseconds. */
export function reconnectDelayMs(attempt: number, random: number): number {
  return Math.min(200 * 2 ** attempt, 30_000) * (0.5 + random);
}

/** What is given for a time is asked for again when so much of it is over, so that one always works. */
const RENEWAL_SHARE = 0.8;
/** So many tries to come back look for what stands in between; it would tell the later ones nothing new. */
const LOOKS_AROUND = 3;
/** However short a life or long a pause the server names. Milliseconds. */
const MIN_RENEWAL_MS = 1_000;
const MAX_PAUSE_MS = 600_000;

/** When to ask for what replaces something that lives so long. Milliseconds. */
export function renewalDelayMs(lifetimeMs: number): number {
  return Math.min(Math.max(lifetimeMs * RENEWAL_SHARE, MIN_RENEWAL_MS), 2 ** 31 - 1);
}

/** The way to the server for as long as the program runs: signs in, and comes back by itself when the channel breaks. */
export class ServerLink {
  /** What the server says unasked. It may not throw. */
  onMessage: (message: SignallingMessage) => void = () => undefined;
  /** Called with true after each sign-in and false when the channel broke. It may not throw. */
  onState: (up: boolean) => void = () => undefined;
  /** What of this machine's own network keeps it from coming back: once after each break. It may not throw. */
  onHindrance: (why: UserError) => void = () => undefined;
  /** Rejects, with why, when the link ended for good: revoked, or another key under the old address. Never resolves. */
  readonly failed: Promise<never>;
  readonly #fail = Promise.withResolvers<never>();
  readonly #server: ServerAddress;
  readonly #keys: KeyPair;
  #connecting: FirstToOpen<NodeOpening> | null = null;
  #socket: ChannelSocket | null = null;
  #me: SignedIn | null = null;
  #node: ServerNode | null = null;
  #isSignedIn = false;
  #isHindranceTold = false;
  /** Since it was up last, or this machine came to another network. */
  #failures = 0;
  #closed = false;
  #retry: Timer | undefined;
  #renewal: Timer | undefined;

  constructor(server: ServerAddress, keys: KeyPair) {
    this.#server = server;
    this.#keys = keys;
    this.failed = this.#fail.promise;
    this.failed.catch(() => undefined);
  }

  /** Who the server says we are; only after a sign-in. */
  get me(): SignedIn {
    if (this.#me === null)
      throw new UserError("not-signed-in", "cannot go on: this device is not signed in", {
        hint: "use `p2p login NAME`",
      });
    return this.#me;
  }

  /** The node in use. */
  get node(): ServerNode {
    const [first] = this.#server.nodes;
    const node = this.#node ?? first;
    if (node === undefined) throw new UserError("config", "the server's address has no node");
    return node;
  }

  /** The pinned one. */
  get serverKey(): Uint8Array {
    return this.#server.key;
  }

  /** Signed in. */
  get isUp(): boolean {
    return this.#isSignedIn;
  }

  /**
   * Opens a channel and signs in, by the device's key alone unless `how` says otherwise.
   * @throws UserError `server-unreachable`, `server-key-changed`, or what the server answered
   */
  async signIn(how: Request = { kind: "signIn", token: null }): Promise<SignedIn> {
    const socket = this.#socket ?? (await this.#connect());
    try {
      const answer = await socket.request(how);
      if (answer.kind !== "signedIn")
        throw new UserError("internal", `the server answered ${answer.kind} to a sign-in`, { side: "server" });
      this.#signedIn(socket, answer);
      return answer;
    } catch (error) {
      // A wrong password may be typed again on the same channel; the server closes it when enough were wrong.
      if (how.kind === "signIn") socket.close();
      throw error;
    }
  }

  /** Opens the channel without signing in: for what needs no account, and to find a wrong address before anything is asked. */
  async connect(): Promise<void> {
    if (this.#socket === null) await this.#connect();
  }

  /** @throws UserError what the server refused, or `server-unreachable` while the channel is down */
  async request(message: Request): Promise<Answer> {
    if (this.#socket === null)
      throw new UserError("server-unreachable", "the server is away just now", {
        side: "server",
        hint: "try again in a moment",
      });
    return this.#socket.request(message);
  }

  /** Said if the channel is up; after a break `onState` tells to say again what still holds. */
  tell(message: SignallingMessage): void {
    this.#socket?.tell(message);
  }

  /** This machine may be on another network, or has slept: a line that leads nowhere is found out soon, and one that waits tries now. */
  networkChanged(): void {
    this.#socket?.prove();
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#failures = 0;
    void this.#tryAgain(0);
  }

  /**
   * Where a relay leg is opened.
   * @param place HOST:PORT of the node that has it, as it names itself; empty: the node in use
   * @param attempt from 0; every other one is by the port in use, since a network may let no other pass
   */
  relayUrl(place: string, attempt: number): string {
    const { host, port } = placeOfNode(place, this.node);
    const at = { host, port: attempt % 2 === 0 ? port : this.node.port };
    return urlOf(this.#server.secure, at, "ws", "/v1/relay");
  }

  /** Whether an HTTP proxy stands before the node in use. */
  get isProxied(): boolean {
    return proxyFor(urlOf(this.#server.secure, this.node, "http", "/")) !== null;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    clearTimeout(this.#renewal);
    this.#connecting?.close();
    this.#socket?.close();
    this.#socket = null;
    this.#isSignedIn = false;
  }

  async #connect(): Promise<ChannelSocket> {
    const looksAround = this.#failures < LOOKS_AROUND;
    const open = (node: ServerNode) => () => new NodeOpening(this.#server, node, this.#keys, looksAround);
    const race = new FirstToOpen(this.#nodes.map(open));
    this.#connecting = race;
    try {
      const { socket, node } = await race.winner();
      return this.#opened(socket, node);
    } catch (error) {
      this.#failures++;
      throw error instanceof AggregateError ? mostTelling(error.errors) : error;
    }
  }

  /** First the one that answered last. */
  get #nodes(): readonly ServerNode[] {
    const { nodes } = this.#server;
    return nodes.toSorted((one, other) => Number(other === this.#node) - Number(one === this.#node));
  }

  #opened(socket: ChannelSocket, node: ServerNode): ChannelSocket {
    this.#connecting = null;
    this.#socket = socket;
    this.#node = node;
    let pauseMs = 0;
    socket.onMessage = (message) => {
      if (message.kind === "goodbye") pauseMs = message.reconnectMs;
      else this.onMessage(message);
    };
    void socket.ended.then((end) => this.#ended(socket, { ...end, retryMs: Math.max(end.retryMs, pauseMs) }));
    return socket;
  }

  /** Whoever waits for a sign-in on it hears of it there. */
  #ended(socket: ChannelSocket, end: ChannelEnd): void {
    if (this.#socket !== socket) return;
    const wasSignedIn = this.#isSignedIn;
    this.#socket = null;
    this.#isSignedIn = false;
    clearTimeout(this.#renewal);
    if (this.#closed || !wasSignedIn) return;
    this.onState(false);
    if (end.code === "revoked") this.#fail.reject(errorOf(end));
    else this.#comeBack(0, end.retryMs);
  }

  #signedIn(socket: ChannelSocket, me: SignedIn): void {
    this.#me = me;
    this.#isSignedIn = true;
    this.#isHindranceTold = false;
    this.#failures = 0;
    this.#renewLater(socket, me);
    this.onState(true);
  }

  #renewLater(socket: ChannelSocket, { tokenLifetimeMs }: SignedIn): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(socket), renewalDelayMs(tokenLifetimeMs));
  }

  async #renew(socket: ChannelSocket): Promise<void> {
    try {
      const answer = await socket.request({ kind: "renewToken" });
      if (answer.kind !== "signedIn") return;
      this.#me = answer;
      this.#renewLater(socket, answer);
    } catch {
      // Without a fresh token the next reconnect signs in by the device key alone.
    }
  }

  /** @param retryMs what the server asked for; 0 for nothing */
  #comeBack(attempt: number, retryMs: number): void {
    const delayMs = Math.max(reconnectDelayMs(attempt, Math.random()), Math.min(retryMs, MAX_PAUSE_MS));
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#tryAgain(attempt), delayMs);
  }

  async #tryAgain(attempt: number): Promise<void> {
    this.#retry = undefined;
    try {
      await this.signIn({ kind: "signIn", token: this.#me?.token ?? null });
    } catch (error) {
      if (this.#closed) return;
      this.#tellHindrance(error);
      if (error instanceof UserError && FINAL.has(error.code)) this.#fail.reject(error);
      else this.#comeBack(attempt + 1, error instanceof ServerBusy ? error.retryMs : 0);
    }
  }

  #tellHindrance(error: unknown): void {
    if (this.#isHindranceTold || !(error instanceof UserError) || error.side !== "local") return;
    this.#isHindranceTold = true;
    this.onHindrance(error);
  }
}

/** What another try will not mend. */
const FINAL: ReadonlySet<string> = new Set(["revoked", "not-signed-in", "server-key-changed"]);
