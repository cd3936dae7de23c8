import { afterEach, beforeEach, expect, test } from "bun:test";
import { homeAt } from "../../../../src/modes/peer/home.ts";
import { Introductions } from "../../../../src/modes/peer/introductions.ts";
import { systemRandom } from "../../../../src/modes/peer/own-device.ts";
import { People } from "../../../../src/modes/peer/people.ts";
import { ServerLink } from "../../../../src/modes/peer/server-link.ts";
import { KeyPair, SigningKeyPair } from "../../../../src/wire/noise/primitives.ts";
import { signDeviceList } from "../../../../src/wire/rendezvous/device-list.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../support/folder.ts";

let folder: TemporaryFolder;
let people: People;
let introductions: Introductions;

beforeEach(() => {
  folder = temporaryFolder();
  people = new People(homeAt(folder.path), systemRandom(32));
  const server = { secure: false, nodes: [{ host: "127.0.0.1", port: 1 }], key: systemRandom(32) };
  introductions = new Introductions(new ServerLink(server, KeyPair.generate(systemRandom)), people, false);
});

afterEach(() => folder[Symbol.dispose]());

const signing = SigningKeyPair.generate(systemRandom);
const ofBen = device(signing);

function device(signer = SigningKeyPair.generate(systemRandom)) {
  return { id: systemRandom(16), key: systemRandom(32), signKey: signer.publicKey, label: "pc", online: true };
}

function listOf(serial: number, signer = signing): Uint8Array {
  return signDeviceList(signer, serial, [{ key: systemRandom(32), signKey: signer.publicKey }]);
}

/** As a handshake with a device proves it. */
function proven(by = ofBen, deviceList: Uint8Array = new Uint8Array()) {
  const keys = { send: systemRandom(32), receive: systemRandom(32), export: systemRandom(32) };
  const introduction = { kind: "introduction", receiverIndex: 1, signKey: by.signKey, deviceList } as const;
  return { device: by, agreed: { keys, introduction } };
}

function statesOfBen(): unknown[] {
  return people.find("ben").devices.map(({ key, state }) => [key, state]);
}

test("at the first contact all devices that were rung are trusted once one of them has answered", async () => {
  const other = device();
  await introductions.met({ name: "ben", devices: [ofBen, other] }, proven());
  expect(statesOfBen()).toEqual([
    [ofBen.key, "new"],
    [other.key, "new"],
  ]);
});

test("bad input 95: a device that answers without having been rung is trusted alone", async () => {
  await introductions.met({ name: "ben", devices: [device()] }, proven());
  expect(statesOfBen()).toEqual([[ofBen.key, "new"]]);
});

test("bad input 95: a device that is on record as changed by the time it is met is refused", async () => {
  const known = device();
  await people.pin("ben", [known], null);
  const met = introductions.met({ name: "ben", devices: [ofBen] }, proven());
  await expect(met).rejects.toMatchObject({ code: "peer-key-changed" });
  expect(statesOfBen()).toEqual([
    [known.key, "new"],
    [ofBen.key, "changed"],
  ]);
});

test("a device list is kept when its own device signed it, and no older one of that device takes its place", async () => {
  const ben = { name: "ben", devices: [ofBen] };
  const second = listOf(2);
  await introductions.met(ben, proven(ofBen, second));
  expect(people.find("ben").deviceList).toEqual(second);
  for (const refused of [listOf(1), listOf(9, SigningKeyPair.generate(systemRandom)), listOf(9).toReversed()]) {
    await introductions.met(ben, proven(ofBen, refused));
    expect(people.find("ben").deviceList).toEqual(second);
  }
  const third = listOf(3);
  await introductions.met(ben, proven(ofBen, third));
  expect(people.find("ben").deviceList).toEqual(third);
});
