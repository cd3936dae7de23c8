import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { openHome } from "../../../../src/modes/peer/home.ts";
import { openIdentity, openOrCreateIdentity } from "../../../../src/modes/peer/identity.ts";
import { verifySignature } from "../../../../src/wire/noise/primitives.ts";
import { seededRandom } from "../../../support/bytes.ts";
import { temporaryFolder } from "../../../support/folder.ts";

const random = seededRandom("identity");

test("openOrCreateIdentity() makes keys once, 0600, and finds the same ones ever after", () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  const made = openOrCreateIdentity(home, random);
  const text = readFileSync(home.identity, "utf8");
  const again = openOrCreateIdentity(home, random);
  const message = new Uint8Array([1, 2, 3]);
  expect(again.keys.publicKey).toEqual(made.keys.publicKey);
  expect(verifySignature(made.signing.publicKey, message, again.signing.sign(message))).toBe(true);
  expect(openIdentity(home).keys.publicKey).toEqual(made.keys.publicKey);
  expect([statSync(home.identity).mode & 0o777, readFileSync(home.identity, "utf8")]).toEqual([0o600, text]);
});

describe("bad input 170: an identity file", () => {
  const config = expect.objectContaining({ code: "config", hint: expect.any(String) });

  test.each([
    ["empty", ""],
    ["cut off", '{"version":1,"x25519":"00'],
    ["not JSON", "key"],
    ["a list", "[]"],
    ["of another version", `{"version":2,"x25519":"${"00".repeat(32)}","ed25519":"${"00".repeat(32)}"}`],
    ["without a key", `{"version":1,"x25519":"${"00".repeat(32)}"}`],
    ["with a short key", `{"version":1,"x25519":"${"00".repeat(31)}","ed25519":"${"00".repeat(32)}"}`],
    ["with a number for a key", `{"version":1,"x25519":7,"ed25519":"${"00".repeat(32)}"}`],
  ])("that is %s is refused and stays as it is", (_, text) => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    writeFileSync(home.identity, text, { mode: 0o600 });
    expect(() => openIdentity(home)).toThrow(config);
    expect(() => openOrCreateIdentity(home, random)).toThrow(config);
    expect(readFileSync(home.identity, "utf8")).toBe(text);
  });

  test("that others may read is refused with the fix", () => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    openOrCreateIdentity(home, random);
    chmodSync(home.identity, 0o644);
    expect(() => openOrCreateIdentity(home, random)).toThrow(
      expect.objectContaining({ code: "config", hint: `chmod 600 "${home.identity}"` }),
    );
  });

  test("that is a link is refused, also one that leads nowhere", () => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    symlinkSync(folder.at("elsewhere"), home.identity);
    expect(() => openIdentity(home)).toThrow(config);
    expect(() => openOrCreateIdentity(home, random)).toThrow(config);
  });

  test("that is missing beside an account is not made anew", () => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    openOrCreateIdentity(home, random);
    writeFileSync(home.account, "{}");
    rmSync(home.identity);
    expect(() => openOrCreateIdentity(home, random)).toThrow("is missing");
    expect(() => statSync(home.identity)).toThrow("ENOENT");
  });
});
