import { WireError } from "../../wire/errors.ts";
import { relay, type RelayMessage } from "../../wire/messages/relay.ts";
import { legProof } from "../../wire/relay/leg-proof.ts";
import { connectWebSocket } from "./web-socket.ts";

export interface LegTicket {
  readonly leg: Uint8Array;
  readonly key: Uint8Array;
}

export interface LegEvents {
  /** From here on bodies go both ways. */
  onBound(): void;
  /** Whole sealed packets, one behind the other. May not throw. */
  onBody(body: Uint8Array): void;
  /** It broke, or never came about; not after {@link RelayLeg.close}. */
  onEnd(): void;
}

/** What waits unsent is capped, so that the session's congestion control sees loss rather than seconds of queue. Bytes. */
const MAX_BUFFERED_BYTES = 524_288;

/** What has not come about by then is given up: a network may swallow what goes to another port than that of the channel. Milliseconds. */
const BIND_TIMEOUT_MS = 5_000;

/** One WebSocket that carries a session's packets over the server: PROTOCOL.md §8. */
export class RelayLeg {
  readonly #socket: WebSocket;
  readonly #ticket: LegTicket;
  readonly #events: LegEvents;
  readonly #timer: Timer;
  #isBound = false;
  #isOver = false;

  constructor(url: string, ticket: LegTicket, events: LegEvents) {
    this.#ticket = ticket;
    this.#events = events;
    this.#socket = connectWebSocket(url);
    this.#socket.addEventListener("message", ({ data }) => this.#received(data));
    this.#socket.addEventListener("close", () => this.#over());
    this.#socket.addEventListener("error", () => undefined); // a close follows
    this.#timer = setTimeout(() => this.#over(), BIND_TIMEOUT_MS);
  }

  get isBound(): boolean {
    return this.#isBound && !this.#isOver;
  }

  /** Drops it when too much waits already, as a network does. */
  send(body: Uint8Array): void {
    if (this.isBound && this.#socket.bufferedAmount < MAX_BUFFERED_BYTES) this.#socket.send(body);
  }

  /** Nothing more is heard of it. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket.close();
  }

  #received(data: unknown): void {
    if (this.#isOver || !(data instanceof ArrayBuffer)) return this.#over();
    const bytes = new Uint8Array(data);
    if (this.#isBound) return this.#events.onBody(bytes);
    try {
      this.#greeted(relay.decode(bytes));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#over();
    }
  }

  #greeted(message: RelayMessage): void {
    if (message.kind === "challenge") this.#socket.send(this.#proof(message.nonce));
    else if (message.kind === "bound") {
      this.#isBound = true;
      clearTimeout(this.#timer);
      this.#events.onBound();
    } else this.#over();
  }

  #proof(nonce: Uint8Array): Uint8Array {
    const { leg, key } = this.#ticket;
    return relay.encode({ kind: "bind", leg, mac: legProof(key, nonce, leg) });
  }

  #over(): void {
    if (this.#isOver) return;
    this.close();
    this.#events.onEnd();
  }
}
