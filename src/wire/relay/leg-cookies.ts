import { parseIp, type UdpAddress } from "../address.ts";
import type { Random } from "../core.ts";
import { LEG_COOKIE_BYTES } from "../messages/leg.ts";
import { equalSecrets, hmacSha256 } from "../noise/primitives.ts";

/** A new secret takes over this often; cookies under the one before hold until it goes, too. Milliseconds. */
const GENERATION_MS = 120_000;

/**
 * What a server sends to where a request came from, and wants to hear from there before it sends anything else to it: who can read what
 * comes to an address has it. Of this server alone, and remembered nowhere.
 */
export class LegCookies {
  readonly #random: Random;
  #generation = Number.NEGATIVE_INFINITY;
  #newest: Uint8Array;
  #before: Uint8Array;

  constructor(random: Random) {
    this.#random = random;
    this.#newest = random(32);
    this.#before = random(32);
  }

  make(now: number, leg: Uint8Array, address: UdpAddress): Uint8Array {
    this.#advance(now);
    return cookieOf(this.#newest, leg, address);
  }

  isValid(now: number, cookie: Uint8Array, leg: Uint8Array, address: UdpAddress): boolean {
    this.#advance(now);
    return [this.#newest, this.#before].some((secret) => equalSecrets(cookie, cookieOf(secret, leg, address)));
  }

  #advance(now: number): void {
    const generation = Math.floor(now / GENERATION_MS);
    if (generation === this.#generation) return;
    this.#before = generation === this.#generation + 1 ? this.#newest : this.#random(32);
    this.#newest = this.#random(32);
    this.#generation = generation;
  }
}

function cookieOf(secret: Uint8Array, leg: Uint8Array, { ip, port }: UdpAddress): Uint8Array {
  const address = parseIp(ip) ?? new Uint8Array();
  return hmacSha256(secret, leg, Uint8Array.of(port >> 8, port), address).subarray(0, LEG_COOKIE_BYTES);
}
