import { CHANNEL_BUDGET_BYTES, MAX_FORWARD_BYTES } from "../../wire/limits.ts";
import { PacketBatch } from "./packet-batch.ts";
import { RelayLeg } from "./relay-leg.ts";
import { reconnectDelayMs, type ServerLink } from "./server-link.ts";

export interface ServerRouteEvents {
  /** Whole packets, one behind the other, from the other end. May not throw. */
  onBody(body: Uint8Array): void;
}

/**
 * A session's way through the server's TCP: inside the channel at first, which costs no round trip, and over a relay leg of its own
 * when half of what the channel may carry is used. PROTOCOL.md §8.
 */
export class ServerRoute {
  readonly #link: ServerLink;
  readonly #session: Uint8Array;
  readonly #events: ServerRouteEvents;
  readonly #batch = new PacketBatch(MAX_FORWARD_BYTES, (body) => this.#sendBody(body));
  #channelLeft = CHANNEL_BUDGET_BYTES;
  #heard = 0;
  #leg: RelayLeg | null = null;
  #isOpening = false;
  #failures = 0;
  #retry: Timer | undefined;
  #isClosed = false;

  constructor(link: ServerLink, session: Uint8Array, events: ServerRouteEvents) {
    this.#link = link;
    this.#session = session;
    this.#events = events;
  }

  get isAvailable(): boolean {
    return this.#leg?.isBound === true || this.#link.isUp;
  }

  send(packet: Uint8Array): void {
    if (!this.#isClosed) this.#batch.add(packet);
  }

  /** The body of a `forward` for this session. */
  received(body: Uint8Array): void {
    this.#heard += body.length;
    if (this.#heard > CHANNEL_BUDGET_BYTES / 2) this.openLeg();
    this.#events.onBody(body);
  }

  /** Makes a leg unless there is one: at the latest when the channel's budget runs out, better before. */
  openLeg(): void {
    if (this.#leg !== null || this.#isOpening || this.#isClosed || !this.#link.isUp) return;
    this.#isOpening = true;
    this.#requestLeg()
      .catch(() => this.#legFailed())
      .finally(() => (this.#isOpening = false));
  }

  close(): void {
    this.#batch.flush();
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#leg?.close();
  }

  async #requestLeg(): Promise<void> {
    const answer = await this.#link.request({ kind: "openLeg", session: this.#session });
    if (answer.kind !== "leg" || this.#isClosed) return;
    this.#leg = new RelayLeg(this.#link.url("ws", "/v1/relay"), answer, {
      onBound: () => (this.#failures = 0),
      onBody: (body) => this.#events.onBody(body),
      onEnd: () => this.#legFailed(),
    });
  }

  #legFailed(): void {
    this.#leg = null;
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.openLeg(), reconnectDelayMs(this.#failures++, Math.random()));
  }

  #sendBody(body: Uint8Array): void {
    if (this.#leg?.isBound === true) return this.#leg.send(body);
    if (this.#channelLeft < CHANNEL_BUDGET_BYTES / 2) this.openLeg();
    // What exceeds the budget is lost, as on any full link; the session sends it again when there is a leg.
    if (body.length > this.#channelLeft) return;
    this.#channelLeft -= body.length;
    this.#link.tell({ kind: "forward", session: this.#session, body });
  }
}
