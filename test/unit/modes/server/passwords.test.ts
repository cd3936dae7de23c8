import { expect, spyOn, test } from "bun:test";
import {
  checkNewPassword,
  hashPassword,
  isOutdatedHash,
  isSoundHash,
  normalizePassword,
  verifyPassword,
} from "../../../../src/modes/server/passwords.ts";
import { PasswordThreads } from "../../../../src/modes/server/password-threads.ts";
import { Slots } from "../../../../src/modes/server/slots.ts";
import { ManualClock } from "./manual-clock.ts";

const clock = new ManualClock();
const threads = new PasswordThreads(new Slots(clock, 2, 64, 5_000), clock);

function verdict(password: string, name = "ana"): string {
  try {
    checkNewPassword(normalizePassword(password), name);
    return "fine";
  } catch (error) {
    return error instanceof Error ? error.message : "thrown";
  }
}

test.each([
  ["", "shorter than 10"],
  ["x", "shorter than 10"],
  ["nine char", "shorter than 10"],
  ["ten chars!", "fine"],
  ["nén!".repeat(64), "fine"],
  ["nén!".repeat(64) + "x", "longer than 256"],
  ["😀🙂🙃".repeat(85) + "a", "fine"],
  ["x1".repeat(500_000), "longer than 256"],
  ["half \ud800 of one", "half of a character"],
  ["          ", "one of the first"],
  ["nul \0 in it", "fine"],
  ["aaaaaaaaaaaaaaaa", "one of the first"],
  ["Password1234", "one of the first"],
  ["qwertyuiop", "one of the first"],
  ["ana-ana-2024", "one of the first"],
  ["correct horse ana", "fine"],
])("bad input 63: checkNewPassword(%j) says: %s", (password, expected) => {
  expect(verdict(password)).toContain(expected);
});

test("bad input 60: an unknown name costs the same work as a wrong password, whatever the account's hash is worth", async () => {
  const run = spyOn(threads, "run");
  const hash = await hashPassword(threads, "correct horse");
  for (const stored of [null, hash, "", "damaged"])
    expect(await verifyPassword(threads, "wrong horse", stored)).toBe(false);
  const hashes = run.mock.calls.flatMap(([job]) => (job.kind === "verify" ? [job.stored] : []));
  run.mockRestore();
  expect(hashes).toEqual(
    Array.from({ length: 4 }, () => expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)),
  );
});

test("bad input 64: a password typed composed verifies when typed decomposed", async () => {
  const hash = await hashPassword(threads, normalizePassword("caf\u00e9 au lait"));
  expect(await verifyPassword(threads, normalizePassword("cafe\u0301 au lait"), hash)).toBe(true);
  expect(await verifyPassword(threads, "cafe au lait", hash)).toBe(false);
});

test("hashPassword() makes argon2id with 19 MiB and 2 passes, salted", async () => {
  const [one, two] = await Promise.all([
    hashPassword(threads, "correct horse"),
    hashPassword(threads, "correct horse"),
  ]);
  expect(one).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
  expect(one).not.toBe(two);
  expect([isSoundHash(one), isOutdatedHash(one)]).toEqual([true, false]);
});

test("a password with a NUL is the whole password", async () => {
  const hash = await hashPassword(threads, "before\0after");
  expect(await verifyPassword(threads, "before\0other", hash)).toBe(false);
  expect(await verifyPassword(threads, "before\0after", hash)).toBe(true);
});

const tail = `${"A".repeat(43)}$${"A".repeat(43)}`;
test.each([
  ["damaged", "$argon2id$v=19$m=19456,t=2,p=1$AAAA"],
  ["bcrypt", "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"],
  ["argon2i", `$argon2i$v=19$m=19456,t=2,p=1$${tail}`],
  ["4 GiB", `$argon2id$v=19$m=4194304,t=2,p=1$${tail}`],
  ["1000 passes", `$argon2id$v=19$m=19456,t=1000,p=1$${tail}`],
  ["no memory", `$argon2id$v=19$m=0,t=2,p=1$${tail}`],
  ["empty", ""],
])("bad input 65: a stored hash that is %s is refused before it is verified", async (_, stored) => {
  expect(isSoundHash(stored)).toBe(false);
  expect(await verifyPassword(threads, "correct horse", stored)).toBe(false);
});

test("isOutdatedHash() tells hashes made with less work", () => {
  expect(isOutdatedHash(`$argon2id$v=19$m=9216,t=4,p=1$${tail}`)).toBe(true);
  expect(isOutdatedHash(`$argon2id$v=19$m=65536,t=1,p=1$${tail}`)).toBe(true);
  expect(isOutdatedHash(`$argon2id$v=19$m=65536,t=3,p=1$${tail}`)).toBe(false);
});
