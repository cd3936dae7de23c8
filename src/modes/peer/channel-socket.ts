import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import { isErrorCode, type ErrorCode } from "../../wire/errors.ts";
import { CHANNEL_SUBPROTOCOL } from "../../wire/limits.ts";
import type { KeyPair } from "../../wire/noise/primitives.ts";
import { PeerEnd, type Answer, type PeerEndEvent, type Request } from "../../wire/rendezvous/peer-end.ts";
import { UserError, type UserErrorOptions } from "../cli/errors.ts";
import { failureOf, type SocketFailure } from "./socket-failure.ts";
import { connectWebSocket } from "./web-socket.ts";

/** How a channel ended: the close code of the WebSocket, and the reason the server gave with it. */
export interface ChannelEnd {
  readonly code: ErrorCode;
  readonly message: string;
  /** When to try again; 0 when the server did not say. Milliseconds. */
  readonly retryMs: number;
  /** What to try, where that is not what the code says; and whose side it is, where that is not the server's. */
  readonly more?: Pick<SocketFailure, "hint" | "side">;
}

/** The server will take the same later. */
export class ServerBusy extends UserError {
  readonly retryMs: number;
  constructor(code: ErrorCode, message: string, retryMs: number, options: UserErrorOptions) {
    super(code, message, options);
    this.retryMs = retryMs;
  }
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: UserError) => void;
  readonly timer: Timer;
}

const OPEN_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 20_000;

/** One WebSocket to one node with the channel inside. Everything thrown is a `UserError` that names the server's side. */
export class ChannelSocket {
  /** Called for what is no answer. It may not throw. */
  onMessage: (message: SignallingMessage) => void = () => undefined;
  /** Resolves once, when the channel is over. */
  readonly ended: Promise<ChannelEnd>;
  readonly #end = Promise.withResolvers<ChannelEnd>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #socket: WebSocket;
  readonly #core: PeerEnd;
  #timer: Timer | undefined;
  #isOver = false;
  /** It has proven its key. */
  #isProven = false;
  /** Why the WebSocket did not open. */
  #failure: SocketFailure | null = null;

  /** @param url ws:// or wss:// with the path of the channel @throws UserError `config` about a proxy */
  constructor(url: string, keys: KeyPair, serverKey: Uint8Array) {
    this.ended = this.#end.promise;
    const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
    this.#core = new PeerEnd({ keys, serverKey, offered: [CHANNEL_SUBPROTOCOL], random, now: performance.now() });
    this.#socket = connectWebSocket(url);
    this.#socket.addEventListener("open", () => this.#flush());
    this.#socket.addEventListener("message", ({ data }) => this.#received(data));
    this.#socket.addEventListener("close", ({ code, reason }) => this.#over(endOf(code, reason, this.#failure)));
    this.#socket.addEventListener("error", (event) => (this.#failure = failureOf(event, url))); // a close follows
    this.#opened.promise.catch(() => undefined);
  }

  /** Resolves when the server has proven its key. */
  async open(): Promise<void> {
    const timer = setTimeout(() => this.#over(unreachable("no answer in time")), OPEN_TIMEOUT_MS);
    try {
      await this.#opened.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws UserError what the server refused, or that it is gone */
  async request(message: Request): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (this.#isOver) throw errorOf(await this.ended);
    const request = this.#core.request(message);
    const timer = setTimeout(() => this.#over(unreachable("a request was not answered")), ANSWER_TIMEOUT_MS);
    this.#waiting.set(request, { resolve, reject, timer });
    this.#flush();
    return promise;
  }

  /** Says it if the channel is up, and otherwise nothing: who needs to know listens to `ended`. */
  tell(message: SignallingMessage): void {
    if (this.#isOver) return;
    this.#core.tell(message);
    this.#flush();
  }

  /** The way there may be another now: over within seconds unless the server is heard. */
  prove(): void {
    if (this.#isOver) return;
    this.#core.prove(performance.now());
    this.#flush();
  }

  close(): void {
    this.#over({ code: "cancelled", message: "closed by us", retryMs: 0 });
  }

  #received(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#over(unreachable("it does not speak our protocol"));
    this.#core.handleMessage(performance.now(), new Uint8Array(data));
    this.#flush();
  }

  #flush(): void {
    for (let event = this.#core.pollEvent(); event !== null; event = this.#core.pollEvent()) this.#handle(event);
    if (this.#isOver || this.#socket.readyState !== WebSocket.OPEN) return;
    for (let bytes = this.#core.pollTransmit(); bytes !== null; bytes = this.#core.pollTransmit())
      this.#socket.send(bytes);
    clearTimeout(this.#timer);
    const at = this.#core.pollTimeout();
    if (at !== null) this.#timer = setTimeout(() => this.#timedOut(), Math.max(0, at - performance.now()));
  }

  #timedOut(): void {
    this.#core.handleTimeout(performance.now());
    this.#flush();
  }

  #handle(event: PeerEndEvent): void {
    if (event.kind === "open") this.#proven();
    else if (event.kind === "answer") this.#answered(event.request, event.message);
    else if (event.kind === "message") this.onMessage(event.message);
    else if (event.why === "silent") this.#over(unreachable("it fell silent"));
    else this.#over(unreachable(this.#isProven ? NONSENSE : "it does not prove the key we know"));
  }

  #proven(): void {
    this.#isProven = true;
    this.#opened.resolve();
  }

  #answered(request: number, answer: Answer): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    clearTimeout(waiting?.timer);
    if (answer.kind !== "failed") waiting?.resolve(answer);
    else waiting?.reject(refusal(answer.code, answer.message, answer.retryMs));
  }

  #over(end: ChannelEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket.close();
    this.#end.resolve(end);
    this.#opened.reject(errorOf(end));
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(errorOf(end));
    }
    this.#waiting.clear();
  }
}

export function errorOf(end: ChannelEnd): UserError {
  return refusal(end.code, end.message, end.retryMs, end.more);
}

function refusal(code: string, message: string, retryMs: number, more: ChannelEnd["more"] = {}): UserError {
  const hint = retryMs > 0 ? `try again in ${Math.ceil(retryMs / 1_000)} s` : (more.hint ?? hints[code] ?? "");
  const options = { side: more.side ?? "server", ...(hint && { hint }) };
  const known = isErrorCode(code) ? code : "server-unreachable";
  return retryMs > 0 ? new ServerBusy(known, message, retryMs, options) : new UserError(known, message, options);
}

const hints: Readonly<Record<string, string>> = {
  "server-unreachable": "check the address and that the server runs; its port must be open for TCP",
  "wrong-password":
    "check name and password; the server's operator can make a reset line with `p2p server passwd NAME`",
  "not-signed-in": "sign in with `p2p login NAME`, or register with `p2p register NAME`",
  "bad-invite": "ask for a new join line: an invitation admits a number of people for some days",
  "name-taken": "choose another name",
  revoked: "this device was signed out; sign in again with `p2p login NAME`",
  "no-such-person": "check the name with `p2p users`",
  offline: "try again when `p2p users` shows them online",
};

/** From a server of the right key: an older or newer one, most likely. */
const NONSENSE = "it says what this version of p2p does not understand";

function unreachable(message: string, more?: ChannelEnd["more"]): ChannelEnd {
  return { code: "server-unreachable", message, retryMs: 0, ...(more !== undefined && { more }) };
}

/** The server says why it closes as "CODE SECONDS" in the reason; without one, the network did it. */
function endOf(code: number, reason: string, failure: SocketFailure | null): ChannelEnd {
  const [word = "", seconds = "0"] = reason.split(" ");
  if (isErrorCode(word)) {
    const message = closings[word] ?? `the server closed the connection: ${word}`;
    return { code: word, message, retryMs: Number(seconds) * 1_000 || 0 };
  }
  if (failure !== null) return unreachable(failure.message, failure);
  return unreachable(code === 1006 ? "no connection" : `it closed the connection (${code})`);
}

/** What a person can make something of. */
const closings: Readonly<Partial<Record<ErrorCode, string>>> = {
  busy: "the server has too much to do at the moment",
  limited: "the server has had too many connections from this address",
};
