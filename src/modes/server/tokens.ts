import { importJWK, type CryptoKey, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { fromHex, toHex } from "../../wire/bytes.ts";
import type { Random } from "../../wire/core.ts";
import { sha256, type SigningKeyPair } from "../../wire/noise/primitives.ts";
import type { Clock } from "./clock.ts";
import { Refusal } from "./refusal.ts";

/** Whom a token, or a device row, stands for. */
export interface Identity {
  readonly userId: Uint8Array;
  readonly name: string;
  readonly deviceId: Uint8Array;
  /** X25519. */
  readonly deviceKey: Uint8Array;
}

export const TOKEN_LIFETIME_MS = 600_000;
const ALGORITHM = "EdDSA";
const TYPE = "p2p-access+jwt";
const AUDIENCE = "p2p-channel";
const MAX_LENGTH = 2_048;
/** Clocks of two nodes may differ by this. Seconds. */
const TOLERANCE_SECONDS = 5;
const CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "cnf", "name"];

/**
 * Lets a device back in without asking the store. It is handed out inside the channel, holds for the channel's device key alone, and is
 * signed with one algorithm; RFC 8725 has the reasons for each check.
 */
export class Tokens {
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #privateKey: CryptoKey;
  readonly #publicKey: CryptoKey;

  /** @param issuer fingerprint of the server key */
  static async open(keys: SigningKeyPair, issuer: string, clock: Clock, random: Random): Promise<Tokens> {
    const x = base64url(keys.publicKey);
    const jwk = { kty: "OKP", crv: "Ed25519", x };
    const privateKey = await importJWK({ ...jwk, d: base64url(keys.exportSeed()) }, ALGORITHM);
    const publicKey = await importJWK(jwk, ALGORITHM);
    if (privateKey instanceof Uint8Array || publicKey instanceof Uint8Array)
      throw new Error("an Ed25519 key is no secret key");
    return new Tokens(issuer, clock, random, privateKey, publicKey);
  }

  private constructor(issuer: string, clock: Clock, random: Random, privateKey: CryptoKey, publicKey: CryptoKey) {
    this.#issuer = issuer;
    this.#clock = clock;
    this.#random = random;
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
  }

  async issue(identity: Identity): Promise<string> {
    const issuedAt = Math.floor(this.#clock.unixMs() / 1_000);
    return new SignJWT({
      sid: toHex(identity.deviceId),
      name: identity.name,
      cnf: { device: confirmationOf(identity.deviceKey) },
    })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
      .setIssuer(this.#issuer)
      .setAudience(AUDIENCE)
      .setSubject(toHex(identity.userId))
      .setJti(toHex(this.#random(16)))
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + TOKEN_LIFETIME_MS / 1_000)
      .sign(this.#privateKey);
  }

  /** @throws Refusal `not-signed-in`, the same for every fault */
  async verify(token: string, deviceKey: Uint8Array): Promise<Identity> {
    if (!isCanonicalJws(token)) throw refused();
    const claims = await this.#claimsOf(token);
    const userId = idOf(claims.sub);
    const deviceId = idOf(claims["sid"]);
    const name = claims["name"];
    if (userId === null || deviceId === null || typeof name !== "string") throw refused();
    if (claims.aud !== AUDIENCE || !confirms(claims["cnf"], deviceKey) || !isShortLived(claims)) throw refused();
    return { userId, deviceId, name, deviceKey };
  }

  async #claimsOf(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: this.#issuer,
        audience: AUDIENCE,
        requiredClaims: CLAIMS,
        maxTokenAge: TOKEN_LIFETIME_MS / 1_000,
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: new Date(this.#clock.unixMs()),
      });
      return payload;
    } catch {
      throw refused();
    }
  }
}

/**
 * Three parts of the base64url alphabet, none with padding or stray bits in its last character, so that a token has one spelling: the
 * library is more lenient than RFC 7515 §2.
 */
export function isCanonicalJws(text: string): boolean {
  if (text.length > MAX_LENGTH || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(text)) return false;
  return text.split(".").every(isCanonicalBase64Url);
}

function isCanonicalBase64Url(part: string): boolean {
  const last = part.at(-1) ?? "";
  switch (part.length % 4) {
    case 0:
      return true;
    case 2:
      return "AQgw".includes(last);
    case 3:
      return "AEIMQUYcgkosw048".includes(last);
    default:
      return false;
  }
}

/** The library holds `exp` against the clock, and not against `iat`: a signed token that lives for years was not ours. */
function isShortLived(claims: JWTPayload): boolean {
  const { iat, exp } = claims;
  return iat !== undefined && exp !== undefined && exp > iat && (exp - iat) * 1_000 <= TOKEN_LIFETIME_MS;
}

function confirms(claim: unknown, deviceKey: Uint8Array): boolean {
  return typeof claim === "object" && claim !== null && "device" in claim && claim.device === confirmationOf(deviceKey);
}

/** RFC 7800: only who holds this key may use the token. */
function confirmationOf(deviceKey: Uint8Array): string {
  return base64url(sha256(deviceKey));
}

function idOf(claim: unknown): Uint8Array | null {
  return typeof claim === "string" && /^[0-9a-f]{32}$/.test(claim) ? fromHex(claim) : null;
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

function refused(): Refusal {
  return new Refusal("not-signed-in", "the access token does not hold here");
}
