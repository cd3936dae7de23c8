import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asksForJson, parseLine, toCommand } from "../../../../src/modes/cli/args.ts";
import type { Command } from "../../../../src/modes/cli/command.ts";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { flags, laterFlags } from "../../../../src/modes/cli/flags.ts";
import { laterVerbs, verbs } from "../../../../src/modes/cli/grammar.ts";
import { defaultLimits } from "../../../../src/modes/cli/limits.ts";
import { Settings } from "../../../../src/modes/cli/settings.ts";

const KEY = `${"a".repeat(51)}q`;
const INVITE = "b".repeat(25) + "a";

/** A line as typed, words parted by single blanks; no file exists. */
function settle(line: string, files: readonly string[] = []): { command: Command; settings: Settings } {
  return settleWords(line === "" ? [] : line.split(" "), files);
}

function settleWords(argv: readonly string[], files: readonly string[] = []): { command: Command; settings: Settings } {
  const invocation = parseLine(argv, (path) => files.includes(path));
  const settings = new Settings([invocation.given]);
  return { command: toCommand(invocation, settings), settings };
}

function refusal(line: string, files: readonly string[] = []): UserError {
  try {
    settle(line, files);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error(`accepted: ${line}`);
}

const receive: Command = {
  kind: "receive",
  outFolder: null,
  from: [],
  once: false,
  conflict: "number",
  maxBytes: null,
};
const send: Command = { kind: "send", paths: ["a"], to: ["bob"], stdinName: null };
const ping: Command = { kind: "ping", person: "bob", count: 4, untilDirect: false };
const verify: Command = { kind: "verify", person: "bob", matches: null, reset: false };
const serve: Command = {
  kind: "server",
  listen: [{ host: null, port: 7420 }],
  advertise: null,
  advertiseNode: null,
  openRegistration: false,
  noRelay: false,
  trustedProxies: [],
  limits: defaultLimits,
  tls: null,
  metrics: null,
  check: false,
  logLevel: "info",
};
const digits = "0123456789".repeat(6);

const accepted: readonly (readonly [string, Command])[] = [
  ["", { kind: "peer" }],
  ["--", { kind: "peer" }],
  ["peer", { kind: "peer" }],
  ["register ana", { kind: "register", name: "ana", passwordFile: null, deviceLabel: null }],
  ["register Ana --device desk", { kind: "register", name: "ana", passwordFile: null, deviceLabel: "desk" }],
  ["--password-file - register ana", { kind: "register", name: "ana", passwordFile: "-", deviceLabel: null }],
  ["register --password-file=x ana", { kind: "register", name: "ana", passwordFile: "x", deviceLabel: null }],
  ["login ana-b.c_d", { kind: "login", name: "ana-b.c_d", passwordFile: null, deviceLabel: null }],
  ["logout", { kind: "logout" }],
  ["whoami", { kind: "whoami" }],
  ["passwd", { kind: "passwd", passwordFile: null, newPasswordFile: null }],
  ["passwd --password-file a --new-password-file -", { kind: "passwd", passwordFile: "a", newPasswordFile: "-" }],
  ["devices", { kind: "devices" }],
  ["devices revoke 0a", { kind: "device-revoke", id: "0a" }],
  ["users", { kind: "users" }],
  ["contacts", { kind: "contacts" }],
  ["contacts block @Bob", { kind: "block", person: "bob" }],
  ["--json contacts --quiet unblock bob", { kind: "unblock", person: "bob" }],
  ["chat @bob", { kind: "chat", person: "bob" }],
  ["chat bob", { kind: "chat", person: "bob" }],
  ["chat @me", { kind: "chat", person: "me" }],
  ["msg bob", { kind: "msg", person: "bob", text: null }],
  ["msg bob hi there", { kind: "msg", person: "bob", text: "hi there" }],
  ["msg bob hi --json there", { kind: "msg", person: "bob", text: "hi there" }],
  ["msg bob -- --json -x @y --", { kind: "msg", person: "bob", text: "--json -x @y --" }],
  ["msg bob a -- -b", { kind: "msg", person: "bob", text: "a -b" }],
  ["send a @bob", send],
  ["send @bob a", send],
  ["tx a --to bob", send],
  ["send a --to=@bob @bob --to bob", send],
  ["send a b @bob @cat", { ...send, paths: ["a", "b"], to: ["bob", "cat"] }],
  ["send ./@x ./-y @bob", { ...send, paths: ["./@x", "./-y"] }],
  ["send @bob -- @x -y", { ...send, paths: ["@x", "-y"] }],
  ["send - --as notes.txt @bob", { ...send, paths: ["-"], stdinName: "notes.txt" }],
  ["receive", receive],
  ["rx", receive],
  ["recv --yes", receive],
  [
    "receive --out in --from bob --from @cat --from bob --once --conflict skip --max-bytes 1000",
    { ...receive, outFolder: "in", from: ["bob", "cat"], once: true, conflict: "skip", maxBytes: 1000 },
  ],
  ["ping bob", ping],
  ["ping bob -c 7 --until-direct", { ...ping, count: 7, untilDirect: true }],
  ["doctor", { kind: "doctor", person: null }],
  ["doctor @bob", { kind: "doctor", person: "bob" }],
  ["doctor -- bob", { kind: "doctor", person: "bob" }],
  ["ping -c=7 bob", { ...ping, count: 7 }],
  ["verify bob", verify],
  [`verify bob --matches ${digits}`, { ...verify, matches: digits }],
  ["verify bob --reset", { ...verify, reset: true }],
  ["server", serve],
  [
    "server --listen 1.2.3.4:0 --listen [::1]:9 --advertise Example.ORG --open-registration --no-relay --check --log-level debug --directory open",
    {
      ...serve,
      listen: [
        { host: "1.2.3.4", port: 0 },
        { host: "::1", port: 9 },
      ],
      advertise: { secure: null, nodes: [{ host: "example.org", port: null }] },
      openRegistration: true,
      noRelay: true,
      check: true,
      logLevel: "debug",
    },
  ],
  [
    "server --trusted-proxy 127.0.0.1 --trusted-proxy fd00::/64",
    {
      ...serve,
      trustedProxies: [
        { address: Uint8Array.of(127, 0, 0, 1), bits: 32 },
        { address: Uint8Array.of(0xfd, ...Array<number>(15).fill(0)), bits: 64 },
      ],
    },
  ],
  ["server --tls-cert chain.pem --tls-key key.pem", { ...serve, tls: { cert: "chain.pem", key: "key.pem" } }],
  ["server --metrics :9464", { ...serve, metrics: { host: null, port: 9464 } }],
  ["server invite", { kind: "server-invite", uses: 1, days: 7 }],
  ["server --data d invite --uses 3 --days 2", { kind: "server-invite", uses: 3, days: 2 }],
  ["server users", { kind: "server-users" }],
  ["server revoke Ana", { kind: "server-revoke", name: "ana" }],
  ["server status", { kind: "server-status" }],
  ["server block Ana", { kind: "server-block", name: "ana" }],
  ["server unblock ana", { kind: "server-unblock", name: "ana" }],
  ["server passwd ana", { kind: "server-passwd", name: "ana" }],
  ["server key", { kind: "server-key", file: null }],
  ["server key export f", { kind: "server-key-export", file: "f" }],
  ["server key import f", { kind: "server-key-import", file: "f" }],
  ["version", { kind: "version" }],
  ["--version", { kind: "version" }],
  ["send -V", { kind: "version" }],
  ["help", { kind: "help", topic: null }],
  ["-h", { kind: "help", topic: null }],
  ["--bogus bogus --help", { kind: "help", topic: null }],
  ["help contacts block", { kind: "help", topic: "contacts block" }],
  ["send --help", { kind: "help", topic: "send" }],
  ["--home x rx -h", { kind: "help", topic: "receive" }],
];

test.each(accepted)("the line p2p %s is taken", (line, command) => {
  expect(settle(line).command).toEqual(command);
});

const refused: readonly (readonly [string, string, string])[] = [
  // A wrong verb, what the message names, what the hint says.
  ["sned a @bob", '"p2p sned"', "did you mean: p2p send"],
  ["photo.jpg", "photo.jpg", "did you mean: p2p send photo.jpg @NAME"],
  ["dir/photo", "dir/photo", "did you mean: p2p send dir/photo @NAME"],
  ["@bob", "@bob", "did you mean: p2p chat @bob"],
  ["192.0.2.1:7420", "192.0.2.1:7420", "did you mean: p2p p2p://192.0.2.1:7420"],
  ["frobnicate", "frobnicate", "p2p help"],
  ["contacts blok bob", "contacts blok", "did you mean: p2p contacts block"],
  ["server invit", "server invit", "did you mean: p2p server invite"],
  ["-- users", "users", "usage: p2p peer"],
  // Flags.
  ["users --jsno", "--jsno", "did you mean: --json"],
  ["users --zzzzzzzz", "--zzzzzzzz", "p2p help"],
  ["users -x", "-x", "stands after --"],
  ["users --json --json", "--json is given twice", "once"],
  ["receive --out a --out=b --yes", "--out is given twice", "once"],
  ["users --out a", "--out", "p2p receive"],
  ["receive --uses 3", "--uses", "p2p server invite"],
  ["receive --out", "--out needs a value", "--out DIR"],
  ["receive --out --yes", "--out needs a value", "--out=VALUE"],
  ["receive --yes=1", "--yes takes no value", "--yes alone"],
  ["receive --out=", "--out: the value is empty", "give a value"],
  ["receive --yes --no", "--no: it excludes --yes", "one of them"],
  ["users --relay-only --direct-only", "--direct-only", "one of them"],
  ["users --quiet --verbose", "--verbose", "one of them"],
  [`verify bob --reset --matches ${digits}`, "--matches", "one of them"],
  ["users --wait soon", "--wait", "60 or 2.5"],
  ["users --wait=-1", "--wait", "60 or 2.5"],
  ["users --color red", "--color", "choose"],
  ["receive --conflict overwrite", "--conflict", "choose"],
  ["receive --max-bytes 1G", "--max-bytes", "digits"],
  ["ping bob -c 0", "-c", "digits"],
  ["verify bob --matches 123", "60 digits", "quotes"],
  ["server invite --uses 0", "--uses", "digits"],
  ["server --directory contacts", "--directory", "open"],
  ["server --listen 7420", "--listen", "HOST:PORT"],
  ["server --tls-cert chain.pem", "--tls-cert needs --tls-key", "usage: p2p server"],
  ["server --tls-key key.pem", "--tls-key needs --tls-cert", "usage: p2p server"],
  // Operands.
  ["register", "NAME is missing", "usage: p2p register NAME"],
  ["register ana bob", '"bob" is one word too many', "usage: p2p register NAME"],
  ["users ana", '"ana" is one word too many', "usage: p2p users"],
  ["chat", "PERSON is missing", "usage: p2p chat PERSON"],
  ["chat b@d", "cannot have this character", "3 to 32"],
  ["chat me", "too short", "3 to 32"],
  ["msg", "PERSON is missing", "usage: p2p msg"],
  ["msg -- bob hi", "PERSON is missing", "usage: p2p msg"],
  ["contacts block", "PERSON is missing", "usage: p2p contacts block"],
  ["send a", "nobody to send to", "usage: p2p send"],
  ["send a bob", "nobody to send to", "did you mean: --to bob"],
  ["send @bob", "PATH is missing", "usage: p2p send"],
  ["send a @b!d", "@b!d is no person", "./@b!d"],
  ["send a --to b!d", "--to", "3 to 32"],
  ["send - @bob", "--as NAME", "usage: p2p send"],
  ["send a --as x @bob", "--as", "usage: p2p send"],
  ["send - - --as x @bob", "once only", "usage: p2p send"],
  ["passwd --password-file - --new-password-file -", "stdin", "usage: p2p passwd"],
  ["p2p://h p2p://h", "one word too many", "usage: p2p peer"],
  ["p2p://h --server p2p://h", "twice", "--server"],
  ["http://h", "http", "p2p://HOST"],
];

test.each(refused)("the line p2p %s is refused: %s", (line, message, hint) => {
  const error = refusal(line);
  expect(error).toMatchObject({ code: "usage", side: "local" });
  expect(error.message).toContain(message);
  expect(error.hint).toContain(hint);
});

test("a name that nobody can have is no mistake of the line but a bad name", () => {
  expect(refusal("register a!b").code).toBe("bad-name");
  expect(refusal("login -- -x").code).toBe("bad-name");
});

test("a file that is there is meant to be sent, whatever its name is like", () => {
  expect(refusal("sned", ["sned"]).hint).toBe("did you mean: p2p send sned @NAME");
  expect(refusal("a#b", ["a#b"]).hint).toBe("did you mean: p2p send a#b @NAME");
});

test("a join line as the first word stands for peer --server", () => {
  for (const line of [`p2p://[::1]:9/#${KEY}.${INVITE}`, `host#${KEY}`, "p2ps://host", `<p2p://host/#${KEY}>`]) {
    const { command, settings } = settle(line);
    expect(command).toEqual({ kind: "peer" });
    expect(settings.server?.nodes[0]?.host).toBe(line.includes("[") ? "::1" : "host");
  }
});

test("text may be empty of words but not of content", () => {
  expect(() => settleWords(["msg", "bob", ""])).toThrow("TEXT is empty");
  expect(() => settleWords(["msg", "bob", " "])).toThrow("TEXT is empty");
  expect(() => settleWords(["send", "", "@bob"])).toThrow("PATH is empty");
  expect(settleWords(["msg", "bob", "two  words"]).command).toMatchObject({ text: "two  words" });
});

describe("--from and --to of server migrate", () => {
  const [from, to] = ["sqlite:/srv/accounts.db", "mongodb://db/p2p"];

  test.each([
    `server migrate --from ${from} --to ${to}`,
    `--from ${from} server --to=${to} migrate`,
    `--to ${to} --from=${from} server migrate`,
  ])("are URLs wherever they stand: %s", (line) => {
    expect(settle(line).command).toEqual({ kind: "server-migrate", from, to });
  });

  test("may be left out, and are given once", () => {
    expect(settle(`server migrate --to ${to}`).command).toEqual({ kind: "server-migrate", from: null, to });
    expect(refusal(`server migrate --from ${from} --from ${from}`).message).toBe("--from is given twice");
  });

  test("are people everywhere else, and have no other name", () => {
    expect(refusal(`receive --yes --from ${from}`).code).toBe("usage");
    expect(refusal(`server migrate --from-url ${from}`).message).toBe("there is no flag --from-url");
    expect(refusal(`server users --from ana`).message).toBe("p2p server users does not take --from");
  });
});

describe("what later versions have", () => {
  test.each(laterVerbs.map((verb) => [verb]))("p2p %s is refused as such", (verb) => {
    const error = refusal(`${verb} bob`);
    expect(error).toMatchObject({ code: "usage", message: `p2p ${verb}: this version does not have it` });
  });

  test.each(Object.entries(laterFlags))("--%s is refused as such", (flag, takesValue) => {
    const error = refusal(`users --${flag}${takesValue ? " x" : ""}`);
    expect(error).toMatchObject({ code: "usage", message: `--${flag}: this version does not have it` });
  });

  test("msg --later says what to do instead", () => {
    expect(refusal("msg bob hi --later").hint).toBe("try again when `p2p users` shows them online");
  });

  test("no row of the present carries a name of later", () => {
    expect(laterVerbs.filter((verb) => Object.hasOwn(verbs, verb))).toEqual([]);
    expect(Object.keys(laterFlags).filter((flag) => Object.hasOwn(flags, flag))).toEqual([]);
  });
});

describe("bad input 176:", () => {
  test.each([
    ["--help", "help"],
    ["--version", "version"],
    ["--", "peer"],
  ])("p2p %s is handled", (line, kind) => {
    expect(settle(line).command.kind).toBe(kind as Command["kind"]);
  });

  test.each(["frobnicate", "--frobnicate"])("p2p %s is a usage error", (line) => {
    expect(refusal(line).code).toBe("usage");
  });
});

test("asksForJson() looks before the dashes, and into the environment", () => {
  expect(asksForJson(["--bogus", "--json"], {})).toBe(true);
  expect(asksForJson(["msg", "bob", "--", "--json"], {})).toBe(false);
  expect(asksForJson([], { P2P_JSON: "1" })).toBe(true);
  expect(asksForJson([], { P2P_JSON: "0" })).toBe(false);
});

test("whatever is typed becomes a command or a UserError, never another error", () => {
  const known = [
    ...Object.keys(verbs).flatMap((verb) => verb.split(" ")),
    ...Object.keys(flags).map((name) => `--${name}`),
  ];
  const word = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(...known, "--", "-", "-c", "@bob", "bob", "a.txt", "p2p://h/#x", "--wait=1"),
    },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 1, arbitrary: fc.string().map((text) => `--${text}`) },
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), fc.boolean(), (argv, exists) => {
      try {
        const invocation = parseLine(argv, () => exists);
        toCommand(invocation, new Settings([invocation.given]));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        expect((error as UserError).hint).not.toBe("");
      }
    }),
    { numRuns: 2_000 },
  );
});

test("flags may stand anywhere before the dashes: their place changes nothing", () => {
  const line = ["receive", "--out", "in", "--from=bob", "--once"];
  const expected = settleWords(line).command;
  fc.assert(
    fc.property(
      fc.shuffledSubarray([["--out", "in"], ["--from=bob"], ["--once"], ["receive"]], { minLength: 4 }),
      (groups) => {
        expect(settleWords(groups.flat()).command).toEqual(expected);
      },
    ),
  );
});
