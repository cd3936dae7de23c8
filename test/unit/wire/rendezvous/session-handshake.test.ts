import { expect, test } from "bun:test";
import { WireError } from "../../../../src/wire/errors.ts";
import { KeyPair, SigningKeyPair } from "../../../../src/wire/noise/primitives.ts";
import { readDeviceList, signDeviceList } from "../../../../src/wire/rendezvous/device-list.ts";
import { openPreview, sealPreview } from "../../../../src/wire/rendezvous/preview.ts";
import {
  answerHandshake,
  OWN_VERSIONS,
  startHandshake,
  type SessionTerms,
} from "../../../../src/wire/rendezvous/session-handshake.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const [ana, ben, eve] = [KeyPair.generate(random), KeyPair.generate(random), KeyPair.generate(random)];
const signer = SigningKeyPair.generate(random);
const session = random(16);
const terms: SessionTerms = {
  session,
  askerVersions: OWN_VERSIONS,
  accepterVersions: OWN_VERSIONS,
  asker: { userId: random(16), deviceId: random(16) },
  accepter: { userId: random(16), deviceId: random(16) },
  secret: random(32),
};
const introduction = (receiverIndex: number) => ({
  receiverIndex,
  signKey: signer.publicKey,
  deviceList: new Uint8Array(),
});
const asker = { terms, keys: ana, remote: ben.publicKey, random, introduction: introduction(1) };
const accepter = { terms, keys: ben, remote: ana.publicKey, random, introduction: introduction(2) };

test("both ends come to the same keys and learn each other's receiver index", () => {
  const { message, complete } = startHandshake(accepter);
  const { answer, agreed: atAsker } = answerHandshake(asker, message);
  const atAccepter = complete(answer);
  expect(atAsker.keys.send).toEqual(atAccepter.keys.receive);
  expect(atAsker.keys.receive).toEqual(atAccepter.keys.send);
  expect(atAsker.keys.export).toEqual(atAccepter.keys.export);
  expect([atAsker.introduction.receiverIndex, atAccepter.introduction.receiverIndex]).toEqual([2, 1]);
});

test("bad inputs 96 and 115: any difference in terms, secret or keys completes nothing", () => {
  const { message } = startHandshake(accepter);
  const wrongTerms: Partial<SessionTerms>[] = [
    { session: random(16) },
    { secret: random(32) },
    { askerVersions: Uint8Array.of(1, 2) },
    { accepterVersions: Uint8Array.of(2, 1) },
    { asker: { ...terms.asker, userId: random(16) } },
    { accepter: { ...terms.accepter, deviceId: random(16) } },
    { asker: terms.accepter, accepter: terms.asker },
  ];
  for (const wrong of wrongTerms)
    expect(() => answerHandshake({ ...asker, terms: { ...terms, ...wrong } }, message)).toThrow(WireError);
  expect(() => answerHandshake({ ...asker, remote: eve.publicKey }, message)).toThrow(WireError);
  expect(() => answerHandshake({ ...asker, keys: eve }, message)).toThrow(WireError);
});

test("bad input 114: an answer to another first message completes nothing", () => {
  const { answer } = answerHandshake(asker, startHandshake(accepter).message);
  expect(() => startHandshake(accepter).complete(answer)).toThrow(WireError);
});

const preview = {
  versions: OWN_VERSIONS,
  purpose: 1,
  secret: terms.secret,
  receiverIndex: 7,
  signKey: signer.publicKey,
  deviceList: new Uint8Array(),
  greeting: "it is me",
  offer: { count: 2, bytes: 10, first: [{ name: "a", bytes: 4 }] },
};

test("a preview is opened by the device it was sealed to, for its session, and by nobody else", () => {
  const sealed = sealPreview({ session, keys: ana, remote: ben.publicKey, random }, preview);
  const at = { session, keys: ben, remote: ana.publicKey, random };
  expect(openPreview(at, sealed)).toEqual({ kind: "preview", ...preview });
  expect(() => openPreview({ ...at, session: random(16) }, sealed)).toThrow(WireError);
  expect(() => openPreview({ ...at, keys: eve }, sealed)).toThrow(WireError);
  expect(() => openPreview({ ...at, remote: eve.publicKey }, sealed)).toThrow(WireError);
  expect(Buffer.from(sealed).includes("it is me")).toBe(false);
});

test("a device list is believed only with its signature, from a signer that stands in it", () => {
  const own = { key: ana.publicKey, signKey: signer.publicKey };
  const signed = signDeviceList(signer, 3, [own]);
  expect(readDeviceList(signed)).toEqual({ serial: 3, devices: [own], signKey: signer.publicKey });
  for (let at = 0; at < signed.length; at++) {
    const changed = signed.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => readDeviceList(changed)).toThrow(WireError);
  }
  const stranger = SigningKeyPair.generate(random);
  expect(() => readDeviceList(signDeviceList(stranger, 1, [own]))).toThrow("without its signer");
});
