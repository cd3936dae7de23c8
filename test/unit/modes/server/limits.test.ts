import { expect, test } from "bun:test";
import { defaultLimits, type Limits } from "../../../../src/modes/cli/limits.ts";
import { unsafeLimits } from "../../../../src/modes/server/limits.ts";
import { AddressBuckets } from "../../../../src/modes/server/rate-limit.ts";

const usual = { limits: defaultLimits, openRegistration: false, noRelay: false };
const without = (...names: readonly (keyof Limits)[]): Limits => ({
  ...defaultLimits,
  ...Object.fromEntries(names.map((name) => [name, 0])),
});
const messages = (changes: Partial<typeof usual>) =>
  unsafeLimits({ ...usual, ...changes }).map(({ message }) => message);

test("the usual settings leave nothing to doubt", () => {
  expect(unsafeLimits(usual)).toEqual([]);
});

test("bad input 179: open registration and a relay without measure are told of loudly, both by name", () => {
  const limits = without("limit-relay-rate", "limit-relay-daily");
  const [loud = "", ...others] = messages({ openRegistration: true, limits });
  expect(others).toEqual([]);
  for (const part of [
    "ANYONE",
    "open-registration",
    "WITHOUT MEASURE",
    "limit-relay-rate = 0",
    "limit-relay-daily = 0",
  ])
    expect(loud).toContain(part);
});

test("open registration alone is told of with what each newcomer may then send", () => {
  expect(messages({ openRegistration: true })).toEqual([
    "anyone may register and send data through this server, up to 12.5 MB a second and 100 GB a day for each account (open-registration)",
  ]);
  expect(messages({ openRegistration: true, noRelay: true })).toEqual(["anyone may register (open-registration)"]);
  expect(messages({ openRegistration: true, limits: without("limit-relay-rate") })[0]).toEndWith(
    "up to 100 GB a day for each account (open-registration)",
  );
});

test("a relay without measure for members is told of, and each brake that is off", () => {
  const [first = "", ...others] = messages({ limits: without("limit-relay-rate", "limit-relay-daily") });
  expect([first.includes("members"), others]).toEqual([true, []]);
  expect(messages({ limits: without("limit-guesses-per-account", "limit-newcomers") }).length).toBe(2);
});

test("limits that defeat what they are for are told of", () => {
  for (const [changes, words] of [
    [{ "limit-newcomers-per-address": 512 }, "one address alone"],
    [{ "limit-newcomers-per-address": 0 }, "one address alone"],
    [{ "limit-messages-burst": 3 }, "keeps people from signing in"],
  ] as const)
    expect(messages({ limits: { ...defaultLimits, ...changes } })).toEqual([expect.stringContaining(words)]);
  expect(messages({ limits: { ...defaultLimits, "limit-messages": 0, "limit-messages-burst": 0 } })).toEqual([]);
});

test("this machine's own address has ten times what another one has, and not more", () => {
  const buckets = new AddressBuckets({ perSecond: 1, burst: 2 });
  const taken = (ip: string) =>
    Array.from({ length: 30 }, () => buckets.take(ip, 0)).filter((wait) => wait === 0).length;
  expect([taken("192.0.2.1"), taken("127.0.0.1"), taken("::1")]).toEqual([2, 20, 20]);
});
