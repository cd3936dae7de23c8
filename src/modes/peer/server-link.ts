import { toBase32 } from "../../wire/bytes.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import type { KeyPair } from "../../wire/noise/primitives.ts";
import type { Answer, Request } from "../../wire/rendezvous/peer-end.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort, type ServerNode } from "../cli/join-line.ts";
import { ChannelSocket, errorOf } from "./channel-socket.ts";
import { fetchServerKey } from "./server-key.ts";

/** Which server: where its nodes are, and the one key they all have. */
export interface ServerAddress {
  readonly secure: boolean;
  readonly nodes: readonly ServerNode[];
  /** X25519, pinned. */
  readonly key: Uint8Array;
}

export type SignedIn = Answer & { readonly kind: "signedIn" };

/** Delay before the n-th try to come back: 0.2 s · 2ⁿ, at most 30 s, ± 50 % so that a restarted server is not stormed. Milliseconds. */
export function reconnectDelayMs(attempt: number, random: number): number {
  return Math.min(200 * 2 ** attempt, 30_000) * (0.5 + random);
}

const TOKEN_RENEWAL_SHARE = 0.8;

/** The way to the server for as long as the program runs: signs in, and comes back by itself when the channel breaks. */
export class ServerLink {
  /** What the server says unasked. It may not throw. */
  onMessage: (message: SignallingMessage) => void = () => undefined;
  /** Called with true after each sign-in and false when the channel broke. It may not throw. */
  onState: (up: boolean) => void = () => undefined;
  /** Rejects, with why, when the link ended for good: revoked, or another key under the old address. Never resolves. */
  readonly failed: Promise<never>;
  readonly #fail = Promise.withResolvers<never>();
  readonly #server: ServerAddress;
  readonly #keys: KeyPair;
  #socket: ChannelSocket | null = null;
  #me: SignedIn | null = null;
  #node: ServerNode | null = null;
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

  get isUp(): boolean {
    return this.#socket !== null;
  }

  /** Not yet handed to the network. Bytes. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes ?? 0;
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

  /** `http://host:port` or `https://…` of the node in use, with `path`. */
  url(scheme: "http" | "ws", path: string): string {
    return urlOf(this.#server.secure, this.node, scheme, path);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#renewal);
    this.#socket?.close();
    this.#socket = null;
  }

  async #connect(): Promise<ChannelSocket> {
    let problem: unknown = new UserError("config", "the server's address has no node");
    for (const node of this.#server.nodes) {
      const socket = new ChannelSocket(
        urlOf(this.#server.secure, node, "ws", "/v1/channel"),
        this.#keys,
        this.#server.key,
      );
      try {
        await socket.open();
        return this.#opened(socket, node);
      } catch (error) {
        problem = await this.#explained(error, node);
      }
    }
    throw problem;
  }

  #opened(socket: ChannelSocket, node: ServerNode): ChannelSocket {
    this.#socket = socket;
    this.#node = node;
    socket.onMessage = (message) => this.onMessage(message);
    void socket.ended.then((end) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      clearTimeout(this.#renewal);
      if (this.#closed || this.#me === null) return;
      this.onState(false);
      if (end.code === "revoked") this.#fail.reject(errorOf(end));
      else this.#comeBack(0);
    });
    return socket;
  }

  /** A node that answers under another key than the pinned one looks like any broken channel: ask it for its key to tell. */
  async #explained(error: unknown, node: ServerNode): Promise<unknown> {
    const shown = await fetchServerKey(urlOf(this.#server.secure, node, "http", "/v1/key")).catch(() => null);
    if (shown === null || Buffer.compare(shown, this.#server.key) === 0) return named(error, node);
    return serverKeyChanged(this.#server.key, shown);
  }

  #signedIn(socket: ChannelSocket, me: SignedIn): void {
    this.#me = me;
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => void this.#renew(socket), me.tokenLifetimeMs * TOKEN_RENEWAL_SHARE);
    this.onState(true);
  }

  async #renew(socket: ChannelSocket): Promise<void> {
    try {
      const answer = await socket.request({ kind: "renewToken" });
      if (answer.kind !== "signedIn") return;
      this.#me = answer;
      this.#renewal = setTimeout(() => void this.#renew(socket), answer.tokenLifetimeMs * TOKEN_RENEWAL_SHARE);
    } catch {
      // Without a fresh token the next reconnect signs in by the device key alone.
    }
  }

  #comeBack(attempt: number): void {
    this.#retry = setTimeout(() => void this.#tryAgain(attempt), reconnectDelayMs(attempt, Math.random()));
  }

  async #tryAgain(attempt: number): Promise<void> {
    try {
      await this.signIn({ kind: "signIn", token: this.#me?.token ?? null });
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof UserError && FINAL.has(error.code)) this.#fail.reject(error);
      else this.#comeBack(attempt + 1);
    }
  }
}

/** What another try will not mend. */
const FINAL: ReadonlySet<string> = new Set(["revoked", "not-signed-in", "server-key-changed"]);

export function serverKeyChanged(pinned: Uint8Array, shown: Uint8Array): UserError {
  const hint =
    "ask the operator, not over this server, whether it changed: `p2p server key` shows it, and `p2p server key import FILE` brings the old one back";
  return new UserError(
    "server-key-changed",
    `cannot trust the server: it shows the key ${toBase32(shown)}, not ${toBase32(pinned)}`,
    {
      side: "server",
      hint,
    },
  );
}

function named(error: unknown, node: ServerNode): unknown {
  if (!(error instanceof UserError) || error.code !== "server-unreachable") return error;
  const message = `cannot reach the server at ${formatHostPort(node.host, node.port)}: ${error.message}`;
  return new UserError(error.code, message, {
    side: "server",
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  });
}

function urlOf(secure: boolean, node: ServerNode, scheme: "http" | "ws", path: string): string {
  return `${scheme}${secure ? "s" : ""}://${formatHostPort(node.host, node.port)}${path}`;
}
