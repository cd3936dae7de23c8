import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseLine, toCommand } from "../../../../src/modes/cli/args.ts";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { flags } from "../../../../src/modes/cli/flags.ts";
import { defaultLimits, limitNames, limitTable } from "../../../../src/modes/cli/limits.ts";
import { fromEnvironment, Settings } from "../../../../src/modes/cli/settings.ts";
import { root } from "../../../support/sources.ts";

/** The limits of a server that finds this in its environment. */
function limitsBy(env: Record<string, string>) {
  const invocation = parseLine(["server"], () => false);
  const command = toCommand(invocation, new Settings([invocation.given, fromEnvironment(env)]));
  return command.kind === "server" ? command.limits : null;
}

function refusal(name: (typeof limitNames)[number], text: string): UserError | null {
  try {
    flags[name].read([text]);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

test("a server has the limits of the table unless a setting says otherwise", () => {
  expect(limitsBy({})).toEqual(defaultLimits);
  expect(limitsBy({ P2P_LIMIT_RINGS: "3", P2P_LIMIT_RELAY_RATE: "0.5", P2P_LIMIT_MESSAGES: "0" })).toEqual({
    ...defaultLimits,
    "limit-rings": 3,
    "limit-relay-rate": 0.5,
    "limit-messages": 0,
  });
});

test.each(["", "-1", "+1", "1e3", "0x10", "NaN", "Infinity", "1.2.3", " 5", "5 MB", "1000000000", "9".repeat(400)])(
  "every limit refuses %j, and names its default and its unit",
  (text) => {
    for (const name of limitNames) {
      const error = refusal(name, text);
      expect(error?.code).toBe("usage");
      expect(error?.hint).toContain(`the default is ${limitTable[name].fallback}`);
      expect(error?.hint).toContain(limitTable[name].unit);
    }
  },
);

test("only amounts of bytes may be given in parts", () => {
  const inParts = limitNames.filter((name) => refusal(name, "0.125") === null);
  expect(inParts).toEqual(["limit-relay-rate", "limit-relay-burst", "limit-relay-daily"]);
});

test("a limit has no flag, and the refusal says where it stands", () => {
  const give = () => parseLine(["server", "--limit-rings", "3"], () => false);
  expect(give).toThrow(expect.objectContaining({ hint: expect.stringContaining("server.toml") }));
});

test("README.md lists each limit with its default, its unit and what it bounds", () => {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const listed = text
    .matchAll(/^\| `(limit-[a-z-]+)` +\| ([\d.]+) ([^|]+?) +\| ([^|]+?) +\|$/gm)
    .map(([, name, fallback, unit, bounds]) => [name, Number(fallback), unit, bounds])
    .toArray();
  expect(listed).toEqual(
    limitNames.map((name) => [name, limitTable[name].fallback, limitTable[name].unit, limitTable[name].bounds]),
  );
});
