import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { PasswordThreads } from "../../../../src/modes/server/password-threads.ts";
import { Slots } from "../../../../src/modes/server/slots.ts";
import { ManualClock } from "./manual-clock.ts";

const CHEAP = { kind: "hash", memoryKiB: 8, passes: 1 } as const;

function opened(slots = 2) {
  const clock = new ManualClock();
  return { clock, threads: new PasswordThreads(new Slots(clock, slots, 64, 5_000), clock) };
}

test("PasswordThreads hash and verify, more at a time than there are threads", async () => {
  const { threads } = opened();
  const passwords = ["correct horse", "battery staple", "nul \0 in it", "caf\u00e9 au lait", "😀🙂🙃"];
  const hashes = await Promise.all(passwords.map(async (password) => threads.run({ ...CHEAP, password })));
  expect(new Set(hashes).size).toBe(passwords.length);
  for (const [index, stored] of hashes.entries()) {
    expect(stored).toStartWith("$argon2id$v=19$m=8,t=1,p=1$");
    const matches = passwords.map(async (password) => threads.run({ kind: "verify", password, stored }));
    expect(await Promise.all(matches)).toEqual(passwords.map((_, other) => other === index));
  }
});

test("PasswordThreads pass on what is wrong with the work, and go on", async () => {
  const { threads } = opened(1);
  const verifying = threads.run({ kind: "verify", password: "correct horse", stored: "damaged" });
  await expect(verifying).rejects.toThrow("cannot verify a password");
  expect(await threads.run({ ...CHEAP, password: "correct horse" })).toStartWith("$argon2id$");
});

test.skipIf(process.platform !== "linux")("PasswordThreads stand back behind the loop", async () => {
  const before = niceThreads();
  const { threads } = opened(1);
  await threads.run({ ...CHEAP, password: "correct horse" });
  expect(niceThreads().difference(before).size).toBeGreaterThan(0);
  expect(niceThreads().has(process.pid)).toBe(false);
});

test.skipIf(process.platform !== "linux")(
  "PasswordThreads are kept for a while, and end when they have no work",
  async () => {
    const before = niceThreads();
    const { clock, threads } = opened(1);
    await threads.run({ ...CHEAP, password: "correct horse" });
    const [own] = niceThreads().difference(before);
    clock.advance(9_999);
    await threads.run({ ...CHEAP, password: "correct horse" });
    expect(niceThreads().difference(before)).toContain(own ?? 0);
    clock.advance(10_000);
    while (niceThreads().has(own ?? 0)) await new Promise(setImmediate);
    expect(await threads.run({ ...CHEAP, password: "correct horse" })).toStartWith("$argon2id$");
  },
);

/** Those of this process that stand back: proc(5), field 19 of `stat`. */
function niceThreads(): Set<number> {
  const threads = readdirSync("/proc/self/task").filter((thread) => {
    const fields = statOf(thread).split(") ").at(-1)?.split(" ") ?? [];
    return Number(fields[16]) === constants.priority.PRIORITY_BELOW_NORMAL;
  });
  return new Set(threads.map(Number));
}

/** Empty for one that has ended meanwhile. */
function statOf(thread: string): string {
  try {
    return readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
  } catch {
    return "";
  }
}
