import { CHANNEL_BUDGET_BYTES, MAX_FORWARD_BYTES } from "../../wire/limits.ts";
import type { Answer } from "../../wire/rendezvous/peer-end.ts";
import { PacketBatch } from "./packet-batch.ts";
import { RelayLeg } from "./relay-leg.ts";
import { ipsOfNode } from "./node-ips.ts";
import { reconnectDelayMs, type ServerLink } from "./server-link.ts";
import type { GivenLeg } from "./udp-relay.ts";
import { unexpected } from "./unexpected.ts";

type LegMessage = Answer & { readonly kind: "leg" };

/** Kept until the session that reads it exists: what the channel may carry. */
const MAX_EARLY_BYTES = CHANNEL_BUDGET_BYTES;
/** Inside the channel, one way: that is more than talk, and the channel shall not be full before there is a leg. */
const LEG_AFTER_BYTES = CHANNEL_BUDGET_BYTES / 4;
/** For the other end's leg, which opens for the same packets: they were half a round trip on their way. Milliseconds. */
const OTHER_LEG_MS = 150;

/**
 * A session's way through the server's TCP: inside the channel at first, which costs no round trip, and over a relay leg of its own
 * when a quarter of what the channel may carry is used. PROTOCOL.md §8.
 */
export class ServerRoute {
  readonly #link: ServerLink;
  readonly #session: Uint8Array;
  readonly #batch = new PacketBatch(MAX_FORWARD_BYTES, (body) => this.#sendBody(body));
  #channelLeft = CHANNEL_BUDGET_BYTES;
  #heard = 0;
  #leg: RelayLeg | null = null;
  /** What the server gave, or is being asked for, since the line to it is up. */
  #given: Promise<LegMessage> | null = null;
  /** What {@link leg} had of that last. */
  #handedOut: Promise<LegMessage> | null = null;
  /** It was needed once. */
  #wantsLeg = false;
  #isOpening = false;
  #failures = 0;
  #retry: Timer | undefined;
  #isClosed = false;
  #handler: ((body: Uint8Array) => void) | null = null;
  #onWide: (isWide: boolean) => void = () => undefined;
  #isWide = false;
  #widening: Timer | undefined;
  #early: Uint8Array[] = [];

  constructor(link: ServerLink, session: Uint8Array) {
    this.#link = link;
    this.#session = session;
  }

  /** Whole packets, one behind the other, from the other end; what came before the handler was set is kept for it. It may not throw. */
  onBody(handler: (body: Uint8Array) => void): void {
    this.#handler = handler;
    this.#drain();
  }

  /** As {@link onBody}, for one body: what `take` gives back of it, if anything, is kept with all that follows for the next handler. */
  onFirstBody(take: (body: Uint8Array) => Uint8Array | null): void {
    this.onBody((body) => {
      this.#handler = null;
      const rest = take(body);
      if (rest !== null && rest.length > 0) this.#early.unshift(rest);
    });
  }

  /** @param handler hears when there is a leg, for much to go over it, and when there is none any more. It may not throw */
  onWide(handler: (isWide: boolean) => void): void {
    this.#onWide = handler;
    handler(this.#isWide);
  }

  /** @param packet copied */
  send(packet: Uint8Array): void {
    if (!this.#isClosed) this.#batch.add(packet);
  }

  /** The body of a `forward` for this session. */
  received(body: Uint8Array): void {
    this.#heard += body.length;
    if (this.#heard > LEG_AFTER_BYTES) this.#openLeg();
    this.#deliver(body);
  }

  /** There will be a session: a leg asked for now is there when it begins. */
  foresee(): void {
    if (this.#link.isUp && this.#link.me.relays) this.#askForLeg().catch(() => undefined);
  }

  /**
   * For a leg over UDP; null while the server gives none. Whoever asks again is told what the server says by then: the node of a leg may
   * be gone, and another one have the pairing. Never rejects.
   */
  async leg(): Promise<GivenLeg | null> {
    if (!this.#link.isUp || this.#isClosed) return null;
    if (this.#given === this.#handedOut) this.#given = null;
    try {
      const { leg, key, node, ports } = await (this.#handedOut = this.#askForLeg());
      return { leg, key, ports, ips: await ipsOfNode(node, this.#link.node) };
    } catch {
      return null;
    }
  }

  /** The line to the server is there again: the channel's budget is fresh, and what leg there was may lead nowhere. */
  renew(): void {
    this.#channelLeft = CHANNEL_BUDGET_BYTES;
    this.#heard = 0;
    this.#failures = 0;
    this.#stopRetry();
    this.#given = null;
    this.#leg?.close();
    this.#leg = null;
    this.#setWide(false);
    if (this.#wantsLeg) this.#openLeg();
  }

  close(): void {
    this.#batch.flush();
    this.#isClosed = true;
    this.#stopRetry();
    clearTimeout(this.#widening);
    this.#leg?.close();
  }

  /** Makes a leg unless there is one, or a pause before the next try: at the latest when the channel's budget runs out, better before. */
  #openLeg(): void {
    this.#wantsLeg = true;
    if (this.#leg !== null || this.#isOpening || this.#retry !== undefined || this.#isClosed || !this.#link.isUp)
      return;
    this.#isOpening = true;
    this.#requestLeg()
      .catch(() => this.#legFailed())
      .finally(() => (this.#isOpening = false));
  }

  async #requestLeg(): Promise<void> {
    const answer = await this.#askForLeg();
    if (this.#isClosed) return;
    this.#leg = new RelayLeg(this.#link.relayUrl(answer.node, this.#failures), answer, {
      onBound: () => this.#bound(),
      onBody: (body) => this.#deliver(body),
      onEnd: () => this.#legFailed(),
    });
  }

  /** The same for both kinds of legs. @throws UserError what the server refused */
  #askForLeg(): Promise<LegMessage> {
    const given = (this.#given ??= this.#requestFresh());
    given.catch(() => {
      if (this.#given === given) this.#given = null;
    });
    return given;
  }

  async #requestFresh(): Promise<LegMessage> {
    const answer = await this.#link.request({ kind: "openLeg", session: this.#session });
    if (answer.kind !== "leg") throw unexpected(answer.kind);
    return answer;
  }

  #deliver(body: Uint8Array): void {
    const earlyBytes = this.#early.reduce((sum, { length }) => sum + length, body.length);
    if (this.#handler === null && earlyBytes > MAX_EARLY_BYTES) return;
    this.#early.push(body);
    this.#drain();
  }

  #drain(): void {
    while (this.#handler !== null) {
      const body = this.#early.shift();
      if (body === undefined) return;
      this.#handler(body);
    }
  }

  /** The other end opens its leg for the same packets, a little later. */
  #bound(): void {
    this.#failures = 0;
    this.#widening = setTimeout(() => this.#setWide(true), OTHER_LEG_MS);
  }

  /** Told also when it is as before: what may go without a leg begins anew with the channel. */
  #setWide(isWide: boolean): void {
    clearTimeout(this.#widening);
    this.#isWide = isWide;
    this.#onWide(isWide);
  }

  #legFailed(): void {
    this.#leg = this.#given = null;
    if (this.#isClosed) return;
    this.#setWide(false);
    this.#stopRetry();
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        this.#openLeg();
      },
      reconnectDelayMs(this.#failures++, Math.random()),
    );
  }

  #stopRetry(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #sendBody(body: Uint8Array): void {
    if (this.#leg?.isBound === true) return this.#leg.send(body);
    // What exceeds the budget is lost, as on any full link; the session sends it again when there is a leg.
    if (body.length <= this.#channelLeft) {
      this.#channelLeft -= body.length;
      this.#link.tell({ kind: "forward", session: this.#session, body });
    }
    // Of a file nothing more comes before there is one.
    if (this.#channelLeft < CHANNEL_BUDGET_BYTES - LEG_AFTER_BYTES) this.#openLeg();
  }
}
