import { compareBytes, equalBytes, toHex } from "../../wire/bytes.ts";
import { CHANNEL_BUDGET_BYTES } from "../../wire/limits.ts";
import { endpointsOf, type Member } from "./members.ts";
import { TokenBucket } from "./rate-limit.ts";
import type { UdpLeg } from "./udp-relay.ts";

/** Ends that come back get a fresh budget this often. */
const RENEWALS = { perSecond: 3 / 60, burst: 3 };

/** As much as the message has room for. */
const MAX_TOLD = 2 ** 32 - 1;

/** What carries packets to one end outside of its channel. */
export interface LegSocket {
  /** Queues or drops, and never throws. */
  send(packets: Uint8Array): void;
  close(): void;
}

/** The right of one end to bind a relay leg, over a WebSocket and over UDP, while its pairing lives. */
export interface Leg {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly end: End;
  socket: LegSocket | null;
  udp: UdpLeg | null;
}

/** Two devices that were brought together by a session id. */
export class Pairing {
  readonly session: Uint8Array;
  readonly ends: readonly [End, End];
  readonly #renewals: TokenBucket;
  cancelExpiry: () => void = () => {};
  /** Both ends were there once. */
  wasWhole = false;

  constructor(session: Uint8Array, oneKey: Uint8Array, otherKey: Uint8Array, now: number) {
    this.session = session;
    this.ends = [new End(this, oneKey), new End(this, otherKey)];
    this.#renewals = new TokenBucket(RENEWALS, now);
  }

  get key(): string {
    return pairingKey(this.session, this.ends[0].deviceKey, this.ends[1].deviceKey);
  }

  /** The end of one of the two device keys. */
  end(deviceKey: Uint8Array): End {
    return equalBytes(this.ends[0].deviceKey, deviceKey) ? this.ends[0] : this.ends[1];
  }

  /** Both ends are there again: a new handshake needs room. */
  renewBudget(now: number): void {
    if (this.#renewals.take(now) === 0) for (const end of this.ends) end.sentBytes = 0;
  }

  /** Tells each end that is there where the other was seen. */
  tellObserved(): void {
    for (const end of this.ends) end.tellObserved();
  }
}

export class End {
  readonly pairing: Pairing;
  readonly deviceKey: Uint8Array;
  /** Null while its channel is away. */
  member: Member | null = null;
  /** Name of whose end it is; "" until its channel was there once. */
  account = "";
  leg: Leg | null = null;
  /** The other end is not told where this one is seen. */
  isHidden = false;
  /** What this end has sent inside the channels. */
  sentBytes = 0;
  /** The lowest rate that this end was told of; it hears of each once. */
  #toldBytesPerSecond = Number.POSITIVE_INFINITY;

  constructor(pairing: Pairing, deviceKey: Uint8Array) {
    this.pairing = pairing;
    this.deviceKey = deviceKey;
  }

  get other(): End {
    const [one, two] = this.pairing.ends;
    return this === one ? two : one;
  }

  /** Into the other end's channel. @returns false, with nothing sent, when that is over the budget; what finds nobody is dropped */
  sendInside(body: Uint8Array): boolean {
    if (this.sentBytes + body.length > CHANNEL_BUDGET_BYTES) return false;
    this.sentBytes += body.length;
    this.other.member?.send({ kind: "forward", session: this.pairing.session, body });
    return true;
  }

  /** What this end sends over its leg is held to a rate. @returns whether that is news to it */
  tellLimited(bytesPerSecond: number): boolean {
    if (bytesPerSecond >= this.#toldBytesPerSecond || this.member === null) return false;
    this.#toldBytesPerSecond = bytesPerSecond;
    const told = Math.min(MAX_TOLD, Math.round(bytesPerSecond));
    this.member.send({ kind: "limited", session: this.pairing.session, bytesPerSecond: told });
    return true;
  }

  tellObserved(): void {
    const addresses = this.other.isHidden ? [] : endpointsOf(this.other.member?.observed ?? []);
    this.member?.send({ kind: "observed", session: this.pairing.session, addresses });
  }
}

/** The session id and both device keys, in either order: nobody can take a session id away from others. */
export function pairingKey(session: Uint8Array, oneKey: Uint8Array, otherKey: Uint8Array): string {
  const keys = [oneKey, otherKey].sort(compareBytes);
  return [session, ...keys].map(toHex).join("/");
}
