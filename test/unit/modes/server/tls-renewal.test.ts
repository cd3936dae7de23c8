import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { Lifecycle } from "../../../../src/modes/runtime/lifecycle.ts";
import { createLog } from "../../../../src/modes/runtime/log.ts";
import { readTls, type TlsFiles, type TlsPair } from "../../../../src/modes/server/tls.ts";
import { keepRenewed } from "../../../../src/modes/server/tls-renewal.ts";
import { selfSigned, writeSelfSigned } from "../../../support/certificate.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../support/folder.ts";
import { ManualClock } from "./manual-clock.ts";

const LOOK_MS = 10_000;
let folder: TemporaryFolder;
let files: TlsFiles;
let clock: ManualClock;
let lifecycle: Lifecycle;
let used: TlsPair[];
let lines: string[];

beforeEach(() => {
  folder = temporaryFolder();
  files = { cert: folder.at("chain.pem"), key: folder.at("key.pem") };
  writeSelfSigned(files);
  clock = new ManualClock();
  [used, lines] = [[], []];
  const write = (line: string) => void lines.push((JSON.parse(line) as { name: string }).name);
  const log = createLog({ level: "info", json: true, write, now: () => 0, wallClock: () => 0 });
  lifecycle = new Lifecycle({ log });
  keepRenewed({ files, pair: readTls(files), use: (pair) => void used.push(pair), clock, log }, lifecycle);
});
afterEach(() => folder[Symbol.dispose]());

test("a certificate that stays is used no second time", () => {
  clock.advance(10 * LOOK_MS);
  expect([used, lines]).toEqual([[], []]);
});

test("a new certificate is put to use once, and the one after it too", () => {
  for (const times of [1, 2]) {
    writeSelfSigned(files);
    clock.advance(3 * LOOK_MS);
    expect(used.length).toBe(times);
    expect(used.at(-1)).toEqual(readTls(files));
  }
  expect(lines).toEqual(["certificate-renewed", "certificate-renewed"]);
});

test("half a renewal leaves the one before in use and is told once; the other half ends it", () => {
  const next = selfSigned();
  writeFileSync(files.cert, next.cert);
  clock.advance(5 * LOOK_MS);
  expect([used, lines]).toEqual([[], ["certificate-unusable"]]);
  writeFileSync(files.key, next.key);
  clock.advance(LOOK_MS);
  expect([used, lines]).toEqual([[next], ["certificate-unusable", "certificate-renewed"]]);
});

test("nothing is looked at any more when the server has closed", async () => {
  await lifecycle.close();
  expect(clock.pending).toBe(0);
});
