import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { compactVerify, importJWK, type JWTPayload, SignJWT } from "jose";
import { isCanonicalJws, Tokens } from "../../../../src/modes/server/tokens.ts";
import { toHex } from "../../../../src/wire/bytes.ts";
import { sha256, SigningKeyPair } from "../../../../src/wire/noise/primitives.ts";
import { seededRandom } from "../../../support/bytes.ts";
import { ManualClock } from "./manual-clock.ts";
import vectors from "../../../vectors/wycheproof-jws-hs256.json";

const random = seededRandom("tokens");
const signing = SigningKeyPair.generate(random);
const clock = new ManualClock();
const tokens = await Tokens.open(signing, "fingerprint", clock, random);
const ana = { userId: random(16), name: "ana", deviceId: random(16), deviceKey: random(32) };
const nowSeconds = Math.floor(clock.unixMs() / 1_000);

const b64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");
const jwk = { kty: "OKP", crv: "Ed25519", x: b64(signing.publicKey), d: b64(signing.exportSeed()) };
const ownKey = await importJWK(jwk, "EdDSA");

const claims: JWTPayload = {
  iss: "fingerprint",
  aud: "p2p-channel",
  sub: toHex(ana.userId),
  sid: toHex(ana.deviceId),
  name: "ana",
  jti: "00".repeat(16),
  iat: nowSeconds,
  exp: nowSeconds + 600,
  cnf: { device: b64(sha256(ana.deviceKey)) },
};
const header = { alg: "EdDSA", typ: "p2p-access+jwt" };

const signed = (changes: JWTPayload = {}, headerChanges = {}) =>
  new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...header, ...headerChanges }).sign(ownKey);
const without = (claim: string) =>
  new SignJWT(Object.fromEntries(Object.entries(claims).filter(([name]) => name !== claim)))
    .setProtectedHeader(header)
    .sign(ownKey);

/** `ana`, or the code of the refusal. */
async function verdict(token: string, deviceKey = ana.deviceKey): Promise<string> {
  return tokens.verify(token, deviceKey).then(
    ({ name }) => name,
    (error: unknown) => (error instanceof Error && "code" in error ? `${error.name} ${String(error.code)}` : "thrown"),
  );
}
const REFUSED = "Refusal not-signed-in";

test("issue() makes what verify() reads back, for 10 minutes", async () => {
  const token = await tokens.issue(ana);
  expect(await tokens.verify(token, ana.deviceKey)).toEqual(ana);
  expect(token.length).toBeLessThan(1_024);
  expect(await verdict(await signed())).toBe("ana");
});

test.each([-3_600, 315_360_000])(
  "bad input 84: no token made while the clock was %d s off holds once it is right",
  async (offSeconds) => {
    const wrong = { unixMs: () => clock.unixMs() + offSeconds * 1_000, now: () => 0, after: () => () => {} };
    const others = await Tokens.open(signing, "fingerprint", wrong, random);
    expect(await verdict(await others.issue(ana))).toBe(REFUSED);
    expect(await others.verify(await signed(), ana.deviceKey).catch((error: unknown) => error)).toMatchObject({
      code: "not-signed-in",
    });
  },
);

test("bad input 84: a token ends by the server's clock, whichever way that is set", async () => {
  const later = new ManualClock();
  const others = await Tokens.open(signing, "fingerprint", later, random);
  const token = await others.issue(ana);
  later.advance(604_999);
  expect((await others.verify(token, ana.deviceKey)).name).toBe("ana");
  later.advance(2_001);
  expect(await others.verify(token, ana.deviceKey).catch((error: unknown) => error)).toMatchObject({
    code: "not-signed-in",
  });
  const early = await Tokens.open(signing, "fingerprint", new ManualClock(), random);
  const fromTheFuture = await others.issue(ana);
  expect(await early.verify(fromTheFuture, ana.deviceKey).catch((error: unknown) => error)).toMatchObject({
    code: "not-signed-in",
  });
});

/** RFC 8410 §4. */
const pem = (publicKey: Uint8Array) =>
  `-----BEGIN PUBLIC KEY-----\n${Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), publicKey]).toString("base64")}\n-----END PUBLIC KEY-----\n`;
const forged = (alg: string, signature: string) =>
  `${b64(JSON.stringify({ alg, typ: "p2p-access+jwt" }))}.${b64(JSON.stringify(claims))}.${signature}`;
const hs256 = (key: Uint8Array | string) => {
  const body = `${b64(JSON.stringify({ alg: "HS256", typ: "p2p-access+jwt" }))}.${b64(JSON.stringify(claims))}`;
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
};

test.each([
  ["alg none", forged("none", "AA")],
  ["alg None", forged("None", "AA")],
  ["alg nOnE", forged("nOnE", "AA")],
  ["an empty signature", forged("none", "")],
  ["alg ES256", forged("ES256", b64(random(64)))],
  ["alg RS256", forged("RS256", b64(random(256)))],
  ["no alg", `${b64("{}")}.${b64(JSON.stringify(claims))}.AA`],
  ["HS256 under the public key", hs256(signing.publicKey)],
  ["HS256 under the public key in base64", hs256(b64(signing.publicKey))],
  ["HS256 under the public key in PEM", hs256(pem(signing.publicKey))],
  ["the signature of something else", forged("EdDSA", b64(signing.sign(random(32))))],
])("bad input 74: verify() refuses %s", async (_, token) => {
  expect(await verdict(token)).toBe(REFUSED);
});

test("bad input 75: what a header points at is not followed, and unknown critical headers are refused", async () => {
  const evil = SigningKeyPair.generate(random);
  const evilJwk = { kty: "OKP", crv: "Ed25519", x: b64(evil.publicKey) };
  const body = `${b64(JSON.stringify({ ...header, jwk: evilJwk }))}.${b64(JSON.stringify(claims))}`;
  expect(await verdict(`${body}.${b64(evil.sign(Buffer.from(body)))}`)).toBe(REFUSED);
  for (const kid of ["../../dev/null", "x' UNION SELECT 'key", "http://127.0.0.1:1/key"])
    expect(await verdict(await signed({}, { kid }))).toBe("ana");
  expect(await verdict(await signed({}, { x5c: [b64(evil.publicKey)], x5t: "AA" }))).toBe("ana");
  expect(await verdict(await signed({}, { jku: "http://127.0.0.1:1/keys", x5u: "file:///etc/passwd" }))).toBe("ana");
  const critical = `${b64(JSON.stringify({ ...header, crit: ["nobody-knows"], "nobody-knows": 1 }))}.${b64(JSON.stringify(claims))}`;
  expect(await verdict(`${critical}.${b64(signing.sign(Buffer.from(critical)))}`)).toBe(REFUSED);
  const unencoded = `${b64(JSON.stringify({ ...header, crit: ["b64"], b64: false }))}.${b64(JSON.stringify(claims))}`;
  expect(await verdict(`${unencoded}.${b64(signing.sign(Buffer.from(unencoded)))}`)).toBe(REFUSED);
});

test.each(["iss", "aud", "sub", "sid", "jti", "iat", "exp", "cnf", "name"])(
  "bad input 76: verify() refuses a token without %s",
  async (claim) => {
    expect(await verdict(await without(claim))).toBe(REFUSED);
  },
);

test.each<[string, JWTPayload]>([
  ["exp in the past", { exp: nowSeconds - 6, iat: nowSeconds - 300 }],
  ["exp in ten years", { exp: nowSeconds + 315_360_000 }],
  ["iat in the future", { iat: nowSeconds + 60, exp: nowSeconds + 660 }],
  ["nbf in the future", { nbf: nowSeconds + 60 }],
  ["old iat with a far exp", { iat: nowSeconds - 3_600, exp: nowSeconds + 600 }],
  ["exp as text", { exp: String(nowSeconds + 600) as unknown as number }],
])("bad input 76: verify() refuses %s", async (_, changes) => {
  const body = `${b64(JSON.stringify(header))}.${b64(JSON.stringify({ ...claims, ...changes }))}`;
  expect(await verdict(`${body}.${b64(signing.sign(Buffer.from(body)))}`)).toBe(REFUSED);
});

test.each<[string, JWTPayload, object]>([
  ["another issuer", { iss: "other" }, {}],
  ["another audience", { aud: "p2p-admin" }, {}],
  ["a list of audiences", { aud: ["p2p-channel", "p2p-admin"] }, {}],
  ["another type", {}, { typ: "JWT" }],
  ["no type", {}, { typ: undefined }],
  ["a user id that is none", { sub: "ana" }, {}],
  ["a device id that is none", { sid: 7 }, {}],
  ["a name that is none", { name: { $gt: "" } }, {}],
  ["no key in cnf", { cnf: {} }, {}],
])("bad input 77: verify() refuses %s", async (_, changes, headerChanges) => {
  expect(await verdict(await signed(changes, headerChanges))).toBe(REFUSED);
});

test("bad input 78: a token has one spelling", async () => {
  const token = await signed();
  const [head = "", body = "", signature = ""] = token.split(".");
  expect(signature.length).toBe(86);
  const last = "AQgw".indexOf(signature.at(-1) ?? "");
  const stray = `${signature.slice(0, -1)}${"BRhx".charAt(last)}`;
  const others = [
    ` ${token}`,
    `${token}\n`,
    `${token}==`,
    `${head}.${body}.${signature}.x`,
    `${head}.${body}.${signature}.x.y`,
    `${head}.${body}`,
    `${head}.${body}.${stray}`,
    `${head}. ${body}.${signature}`,
    `${head}.${body}.+/${signature.slice(2)}`,
    JSON.stringify({ protected: head, payload: body, signature }),
  ];
  for (const other of others) expect([other, isCanonicalJws(other)]).toEqual([other, false]);
  for (const other of others) expect(await verdict(other)).toBe(REFUSED);
  expect(isCanonicalJws(token)).toBe(true);
});

/** Named after foreign characters and labelled valid: one spelling means that they are not. */
const stricter = new Set([372, 373]);
/** Named after a padding that the published strings do not have: as they stand they are right. */
const unpadded = new Set([367, 370]);

test.each(
  vectors.testGroups.flatMap((group) =>
    group.tests.map((each) => [each.tcId, each.comment, group.private, each] as const),
  ),
)(
  "bad input 78: the shape check and the library together judge Wycheproof's case %d (%s)",
  async (tcId, _, jwk, { jws, result }) => {
    const key = await importJWK(jwk, "HS256");
    const verified = await compactVerify(jws, key, { algorithms: ["HS256"] }).then(
      () => true,
      () => false,
    );
    const isRight = (result === "valid" && !stricter.has(tcId)) || unpadded.has(tcId);
    expect(isCanonicalJws(jws) && verified).toBe(isRight);
  },
);

test("bad input 79: a token of 2 MB is refused by its length", async () => {
  expect(isCanonicalJws(`${"A".repeat(2_000_000)}.AA.AA`)).toBe(false);
  expect(isCanonicalJws(`${"A".repeat(2_044)}.A.A`)).toBe(false);
});

test("bad input 80: a token holds only with its device key", async () => {
  expect(await verdict(await signed(), random(32))).toBe(REFUSED);
});

test("bad input 81: a token of another signing key is refused", async () => {
  const others = await Tokens.open(SigningKeyPair.generate(random), "fingerprint", clock, random);
  expect(await verdict(await others.issue(ana))).toBe(REFUSED);
});
