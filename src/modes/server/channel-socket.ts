import { toHex } from "../../wire/bytes.ts";
import { type ErrorCode, WireError } from "../../wire/errors.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import { ChannelServer } from "../../wire/rendezvous/channel.ts";
import { Entrance } from "./entrance.ts";
import { perSecond } from "./limits.ts";
import { ChannelMember, type Member } from "./members.ts";
import { TokenBucket } from "./rate-limit.ts";
import { Refusal } from "./refusal.ts";
import { answerTo, handleRequest, refusalOf, requestOf, sendSignedIn } from "./requests.ts";
import type { Services } from "./services.ts";
import type { LimitKind } from "./tally.ts";
import type { Identity } from "./tokens.ts";
import { closeCodes, type SocketHandler, type WebSocketPort } from "./web-socket-port.ts";

/** Malformed messages, and requests of someone who has not signed in. */
const MAX_MISTAKES = 3;
const MAX_UNDER_WAY = 64;
/** Of a newcomer, while others have their turns. */
const MAX_UNREAD = 32;
const MAX_CHANNELS_PER_DEVICE = 64;
const FULL_RETRY_MS = 10_000;
/** Messages over the rate that are answered with `limited` before the channel closes. */
const MAX_OVER_RATE = 200;

/**
 * One channel from its first byte: handshake, entrance, then a member's messages. Whatever goes wrong with the handshake or a seal closes
 * it without saying which check failed.
 */
export class ChannelSocket implements SocketHandler {
  readonly #services: Services;
  readonly #port: WebSocketPort;
  readonly #channel: ChannelServer;
  readonly #entrance: Entrance;
  readonly #rate: TokenBucket;
  /** Gives the place in the pool of newcomers back. */
  readonly #leavePool: () => void;
  #member: Member | null = null;
  #mistakes = 0;
  #overRate = 0;
  #underWay = 0;
  #lastRequest = 0;
  /** What came before it was signed in, and waits for its turn. */
  #unread = 0;
  #ended = false;

  constructor(services: Services, port: WebSocketPort, offered: readonly string[], leavePool: () => void) {
    const { keys, random, clock, limits } = services;
    this.#services = services;
    this.#port = port;
    this.#leavePool = leavePool;
    this.#channel = new ChannelServer({ keys, offered, random, now: clock.now() });
    this.#rate = new TokenBucket(perSecond(limits["limit-messages"], limits["limit-messages-burst"]), clock.now());
    this.#entrance = new Entrance(services, {
      send: (message) => this.#send(message),
      refusalOf: (error) => this.#refusalOf(error),
      welcome: (identity, request) => this.#welcome(identity, request),
      handOn: (message) => this.#handOn(message),
      close: () => this.#close(closeCodes.policy),
    });
  }

  /** Members are read at once, newcomers in turns. */
  receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#member !== null && this.#unread === 0) return this.#read(bytes);
    if (this.#unread >= MAX_UNREAD) return this.#close(closeCodes.policy);
    this.#unread++;
    this.#services.turns.run(() => {
      this.#unread--;
      this.#read(bytes);
    });
  }

  closed(): void {
    this.#ended = true;
    this.#entrance.leave();
    this.#leavePool();
    const member = this.#member;
    this.#member = null;
    if (member === null) return;
    const { members, hub, cluster, watchers, attendance, discovery } = this.#services;
    members.remove(member);
    hub.left(member);
    cluster.left(member);
    watchers.left(member);
    discovery.left(member);
    void attendance.left(member);
  }

  #read(bytes: Uint8Array): void {
    if (this.#ended) return;
    const wasOpen = this.#channel.remoteStatic !== null;
    try {
      const { reply, message } = this.#channel.handle(bytes);
      if (reply !== null) this.#port.send(reply);
      if (message !== null) this.#take(message);
      else if (wasOpen) this.#isOverRate(0); // new keys of the channel, which cost more than most messages
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (!wasOpen || error.code === "protocol-error") this.#close(closeCodes.policy);
      else if (error.code !== "unknown-type" || !this.#isOverRate(0))
        this.#complain(0, new Refusal(error.code, error.message));
    }
  }

  /** Sealed packets of a session count by their bytes alone, everything else as messages; so does what has no bytes. */
  #take(message: SignallingMessage): void {
    const member = this.#member;
    const isPackets = message.kind === "forward" && message.body.length > 0 && member !== null;
    if (isPackets && this.#hasSession(member, message.session)) return this.#handle(member, message);
    if (this.#isOverRate(requestOf(message))) return;
    if (!this.#isNextRequest(message))
      return this.#complain(0, new Refusal("bad-message", "request is not above the last one"));
    if (member === null) this.#enter(message);
    else this.#handle(member, message);
  }

  #hasSession(member: Member, session: Uint8Array): boolean {
    const { hub, cluster } = this.#services;
    return hub.pairings.has(member, session) || cluster.has(member, session);
  }

  #isNextRequest(message: SignallingMessage): boolean {
    if (!("request" in message)) return true;
    const rises = message.request > this.#lastRequest;
    this.#lastRequest = Math.max(this.#lastRequest, message.request);
    return rises;
  }

  #enter(message: SignallingMessage): void {
    const deviceKey = this.#channel.remoteStatic;
    if (deviceKey === null) throw new Error("a message before the handshake");
    try {
      this.#entrance.take({ deviceKey, ip: this.#port.ip }, message);
    } catch (error) {
      this.#complain(requestOf(message), this.#refusalOf(error));
    }
  }

  async #welcome(identity: Identity, request: number): Promise<void> {
    const { members, random } = this.#services;
    if (members.ofDevice(identity.deviceId).length >= MAX_CHANNELS_PER_DEVICE)
      throw new Refusal("limited", "this device has too many channels open", FULL_RETRY_MS);
    const member = new ChannelMember(toHex(random(16)), identity, this.#port.ip, {
      send: (message) => this.#send(message),
      end: (code, reconnectMs) => this.#end(code, reconnectMs),
    });
    await sendSignedIn(this.#services, member, request);
    if (this.#ended) return;
    this.#member = member;
    members.add(member);
    this.#leavePool();
  }

  #handOn(message: SignallingMessage): void {
    if (this.#member !== null) this.#handle(this.#member, message);
  }

  #handle(member: Member, message: SignallingMessage): void {
    const request = requestOf(message);
    if (this.#underWay >= MAX_UNDER_WAY)
      return this.#fail(request, new Refusal("busy", "too many requests at once", 1_000));
    try {
      const outcome = handleRequest(this.#services, member, message);
      if (outcome !== undefined) void this.#await(request, outcome);
    } catch (error) {
      this.#answerError(message, error);
    }
  }

  async #await(request: number, outcome: Promise<void>): Promise<void> {
    this.#underWay++;
    try {
      await outcome;
    } catch (error) {
      this.#fail(request, this.#refusalOf(error));
    } finally {
      this.#underWay--;
    }
  }

  #answerError(message: SignallingMessage, error: unknown): void {
    const refusal = this.#refusalOf(error);
    const answer = answerTo(message, refusal);
    if (answer.kind !== "failed") this.#send(answer);
    else if (refusal.code === "bad-message") this.#complain(answer.request, refusal);
    else this.#fail(answer.request, refusal);
  }

  #refusalOf(error: unknown): Refusal {
    return refusalOf(this.#services, error);
  }

  #isOverRate(request: number): boolean {
    const retryMs = this.#rate.take(this.#services.clock.now());
    if (retryMs === 0) return false;
    this.#overRate++;
    if (this.#overRate > MAX_OVER_RATE) this.#close(closeCodes.policy);
    else this.#fail(request, new Refusal("limited", "too many messages", retryMs), "messages");
    return true;
  }

  /** A message that is not known may come from a newer peer; the others count. */
  #complain(request: number, refusal: Refusal): void {
    this.#fail(request, refusal);
    if (refusal.code !== "unknown-type" && ++this.#mistakes >= MAX_MISTAKES) this.#close(closeCodes.policy);
  }

  #fail(request: number, refusal: Refusal, door: LimitKind = "requests"): void {
    const { code, message, retryMs } = refusal;
    this.#services.tally.refused(door, refusal);
    this.#send({ kind: "failed", request, code, message, retryMs });
  }

  #send(message: SignallingMessage): void {
    if (!this.#ended) this.#port.send(this.#channel.seal(message));
  }

  #end(code: ErrorCode, reconnectMs: number): void {
    this.#send({ kind: "goodbye", code, reconnectMs });
    this.#close(closeCodes.goingAway);
  }

  #close(code: number): void {
    if (this.#ended) return;
    this.closed();
    this.#port.close(code, "");
  }
}
