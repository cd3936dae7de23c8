import { toHex } from "../bytes.ts";
import { formatIp, parseIp, type UdpAddress } from "../address.ts";
import type { Random } from "../core.ts";
import { WireError } from "../errors.ts";
import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { Frame } from "../messages/session.ts";
import { type Route, routeKey } from "./route.ts";

/** A packet for path 0. `paddedTo` 0: as short as it is. */
export interface Check {
  readonly route: Route;
  readonly frame: Frame;
  readonly paddedTo: number;
  /** Not asked for by the user, so that it counts against what an unproven route may be sent. */
  readonly isLimited: boolean;
}

/** reach: is the other end there? size: does a full datagram arrive? */
export type ChallengeKind = "reach" | "size";

export interface Answer {
  readonly kind: ChallengeKind;
  readonly rttMs: number;
}

const NONCE_BYTES = 8;
/** A birthday series of checks fits. */
const MAX_OUTSTANDING = 2_048;
const MAX_QUEUED_RESPONSES = 64;
const EXPIRES_AFTER_MS = 10_000;

/**
 * Return routability, RFC 9000 §8.2: 8 unpredictable bytes go out on a route and count only if they come back on that very route.
 * Each goes out in one packet and is answered by one.
 */
export class PathChallenges {
  readonly #random: Random;
  readonly #outstanding = new Map<
    string,
    { readonly key: string; readonly kind: ChallengeKind; readonly sentAt: number }
  >();
  readonly #challenges: Check[] = [];
  readonly #responses: Check[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  challenge(now: number, route: Route, kind: ChallengeKind, isLimited: boolean): void {
    const nonce = this.#random(NONCE_BYTES);
    this.#forgetOld(now);
    this.#outstanding.set(toHex(nonce), { key: routeKey(route), kind, sentAt: now });
    const paddedTo = kind === "size" ? MIN_DATAGRAM_BYTES : 0;
    this.#challenges.push({ route, frame: { kind: "challenge", nonce }, paddedTo, isLimited });
  }

  /** Answers on the route the challenge came on, with the address it came from. */
  respond(route: Route, nonce: Uint8Array): void {
    if (this.#responses.length >= MAX_QUEUED_RESPONSES) return;
    const seen = route.kind === "udp" ? route.remote : null;
    const address = (seen && parseIp(seen.ip)) ?? new Uint8Array(0);
    const frame: Frame = { kind: "response", nonce, address, port: seen?.port ?? 0 };
    this.#responses.push({ route, frame, paddedTo: 0, isLimited: true });
  }

  /** @returns null for what was not asked on this route, or too long ago */
  onResponse(now: number, key: string, nonce: Uint8Array): Answer | null {
    const asked = this.#outstanding.get(toHex(nonce));
    if (asked === undefined || asked.key !== key || now - asked.sentAt > EXPIRES_AFTER_MS) return null;
    this.#outstanding.delete(toHex(nonce));
    return { kind: asked.kind, rttMs: now - asked.sentAt };
  }

  /** The next packet for path 0. */
  take(): Check | null {
    return this.#responses.shift() ?? this.#challenges.shift() ?? null;
  }

  #forgetOld(now: number): void {
    for (const [nonce, { sentAt }] of this.#outstanding) {
      if (now - sentAt <= EXPIRES_AFTER_MS && this.#outstanding.size < MAX_OUTSTANDING) return;
      this.#outstanding.delete(nonce);
    }
  }
}

/** Where the other end saw us; null through the server. @throws WireError for bytes that are no address */
export function observedAddress(frame: Extract<Frame, { kind: "response" }>): UdpAddress | null {
  if (frame.address.length === 0) return null;
  const ip = formatIp(frame.address);
  if (frame.port === 0) throw new WireError("bad-message", "an address without a port");
  return { ip, port: frame.port };
}
