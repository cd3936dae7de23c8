import { describe, expect, test } from "bun:test";
import { parseLine, toCommand, usageOf } from "../../../../src/modes/cli/args.ts";
import { flags, globalFlags, typedName } from "../../../../src/modes/cli/flags.ts";
import { laterVerbs, verbs } from "../../../../src/modes/cli/grammar.ts";
import { limitNames } from "../../../../src/modes/cli/limits.ts";
import { Settings } from "../../../../src/modes/cli/settings.ts";
import { helpText } from "../../../../src/modes/cli/usage.ts";

const names = Object.keys(verbs);

test("the overview lists every verb and every flag that all take, and no verb of later", () => {
  const lines = helpText(null).split("\n");
  for (const verb of names) expect(lines.filter((line) => line.startsWith(`  ${verb} `))).not.toEqual([]);
  for (const flag of globalFlags) expect(lines.some((line) => line.includes(`--${flag}`))).toBe(true);
  for (const verb of laterVerbs) expect(lines.some((line) => line.startsWith(`  ${verb} `))).toBe(false);
});

test("the verbs are those of this version", () => {
  expect(names).toEqual([
    "peer",
    "register",
    "login",
    "logout",
    "whoami",
    "passwd",
    "devices",
    "devices revoke",
    "users",
    "contacts",
    "contacts block",
    "contacts unblock",
    "chat",
    "msg",
    "send",
    "receive",
    "ping",
    "doctor",
    "verify",
    "server",
    "server invite",
    "server users",
    "server revoke",
    "server status",
    "server block",
    "server unblock",
    "server passwd",
    "server migrate",
    "server key",
    "server key export",
    "server key import",
    "version",
    "help",
  ]);
});

test.each(names)("p2p help %s has its usage, what it does and each of its flags, in 80 columns", (verb) => {
  const text = helpText(verb);
  const row = verbs[verb];
  expect(text.replace(/\s+/g, " ")).toStartWith(`${usageOf(verb)} ${row?.summary ?? ""}`);
  for (const flag of row?.flags ?? []) expect(text).toContain(`--${typedName(flag)}`);
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("the text of one verb, whole", () => {
  expect(helpText("rx")).toBe(`p2p receive [--out DIR] [--from PERSON]… [--once]
      [--conflict number|skip|refuse] [--max-bytes N]

be there for messages and files (also rx, recv)

Without a terminal to ask at it needs --yes or --no.

Example: p2p receive --yes --out inbox

Flags:
  --out DIR                      save files here (the current folder)
  --from PERSON                  only from this person; may be given several
                                 times
  --once                         end after the first transfer
  --conflict number|skip|refuse  when a file of that name exists: save as name
                                 (2), skip the file, or refuse the offer
  --max-bytes N                  decline offers larger than this

Flags that every verb takes: p2p help`);
});

describe("helpText()", () => {
  test("points from a verb to its actions", () => {
    expect(helpText("contacts")).toContain("See also: contacts block PERSON, contacts unblock PERSON");
  });

  test.each(names)("says of %s at its end where the flags for all verbs are", (verb) => {
    expect(helpText(verb)).toEndWith("\n\nFlags that every verb takes: p2p help");
  });

  test.each(["register", "send", "receive"])("shows an example of %s that the grammar takes", (verb) => {
    const [, example = ""] = /^Example: p2p (.*)$/m.exec(helpText(verb)) ?? [];
    const words = example
      .replace("KEY", `${"b".repeat(51)}q`)
      .replace("INVITE", "a".repeat(26))
      .split(" ");
    const invocation = parseLine(words, () => false);
    expect(toCommand(invocation, new Settings([invocation.given]))).toMatchObject({ kind: verb });
  });

  test("says of server where its data lies", () => {
    expect(helpText("server").replace(/\s+/g, " ")).toContain(
      "else for root in /var/lib/p2p; else in ~/.local/share/p2p-server",
    );
  });

  test("refuses a topic that is none", () => {
    expect(() => helpText("sned")).toThrow(expect.objectContaining({ code: "usage", hint: "did you mean: p2p send" }));
    expect(() => helpText("pipe")).toThrow("this version does not have it");
  });
});

test("every flag belongs to a verb, and every flag of a verb exists; limits and port mapping are settings without a flag", () => {
  const settings = [...limitNames, "no-port-mapping"];
  const used = new Set<string>([...settings, ...globalFlags, ...names.flatMap((verb) => verbs[verb]?.flags ?? [])]);
  expect([...used].toSorted()).toEqual(Object.keys(flags).toSorted());
});
