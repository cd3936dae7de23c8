import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { doubtsAbout, readTls, type TlsFiles } from "../../../../src/modes/server/tls.ts";
import { selfSigned, writeSelfSigned } from "../../../support/certificate.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../support/folder.ts";

let folder: TemporaryFolder;
let files: TlsFiles;
beforeEach(() => {
  folder = temporaryFolder();
  files = { cert: folder.at("chain.pem"), key: folder.at("key.pem") };
  writeSelfSigned(files);
});
afterEach(() => folder[Symbol.dispose]());

function problem(): UserError {
  try {
    readTls(files);
  } catch (error) {
    if (error instanceof UserError && error.code === "config") return error;
  }
  throw new Error("readTls() refused nothing");
}

test("readTls() takes a certificate and its key, also through links", () => {
  symlinkSync(files.key, folder.at("link"));
  expect(readTls({ ...files, key: folder.at("link") })).toEqual(readTls(files));
  expect(readTls(files).cert).toStartWith("-----BEGIN CERTIFICATE-----");
});

test("readTls() refuses a key that everybody may read, or others may change, with the fix", () => {
  for (const [mode, state] of [
    [0o644, /others may read it \(mode 0644\)/],
    [0o604, /others may read it \(mode 0604\)/],
    [0o660, /others may change it \(mode 0660\)/],
  ] as const) {
    chmodSync(files.key, mode);
    expect(problem().message).toMatch(state);
    expect(problem().hint).toContain(`chmod g-w,o= "${files.key}"`);
  }
});

test("readTls() takes a key that a group may read: so it reaches a server that is not root", () => {
  chmodSync(files.key, 0o640);
  expect(readTls(files).key).toStartWith("-----BEGIN PRIVATE KEY-----");
});

test("readTls() refuses a key of another certificate", () => {
  writeFileSync(files.key, selfSigned().key);
  expect(problem().message).toMatch(/not the key to the certificate/);
});

test("readTls() names the file that is not what it should be", () => {
  for (const which of ["cert", "key"] as const) {
    const whole = readTls(files)[which];
    for (const text of ["", "no PEM", whole.slice(0, 120)]) {
      writeFileSync(files[which], text);
      expect(problem().message).toContain(files[which]);
    }
    rmSync(files[which]);
    expect(problem().message).toContain("it does not exist");
    writeFileSync(files[which], whole, { mode: 0o600 });
  }
});

test("doubtsAbout() finds none in a certificate for this host and time", () => {
  expect(doubtsAbout(selfSigned(), "127.0.0.1", Date.now())).toEqual([]);
  expect(doubtsAbout(selfSigned({ host: "p2p.example.org" }), "p2p.example.org", Date.now())).toEqual([]);
});

test("doubtsAbout() tells another host, and a time before or after", () => {
  const pair = selfSigned({ from: new Date("2026-03-01T00:00:00Z"), to: new Date("2026-05-30T00:00:00Z") });
  const at = (text: string) => new Date(text).getTime();
  expect(doubtsAbout(pair, "203.0.113.7", at("2026-04-01"))).toEqual(["the certificate is not for 203.0.113.7"]);
  expect(doubtsAbout(pair, "p2p.example.org", at("2026-04-01"))).toEqual([
    "the certificate is not for p2p.example.org",
  ]);
  expect(doubtsAbout(pair, "127.0.0.1", at("2026-06-01"))).toEqual(["it expired on 2026-05-30"]);
  expect(doubtsAbout(pair, "127.0.0.1", at("2026-02-01"))).toEqual(["it begins on 2026-03-01"]);
});
