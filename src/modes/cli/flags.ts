import { parseAdvertise, parseAdvertisedPlace, parseListen, parseProxy } from "./addresses.ts";
import type { ServeCommand } from "./command.ts";
import { parseJoinLine } from "./join-line.ts";
import { limitFlags } from "./limits.ts";
import { parsePerson } from "./names.ts";
import { usageError } from "./problem.ts";

/**
 * Where a value may stand beside the command line: `env` in the environment, `peer` there and in a person's `config.toml`,
 * `server` there and in a server's `server.toml`, `both` in either file; `line` nowhere else.
 */
export type Reach = "line" | "env" | "peer" | "server" | "both";

export interface FlagRow<T> {
  /** What stands for the value in help; null for a switch. */
  readonly value: string | null;
  readonly short?: string;
  /** How it is typed where that is not its name, because another verb has a flag of that name. */
  readonly typed?: string;
  /** May it be given more than once. */
  readonly many: boolean;
  readonly reach: Reach;
  /** The value when nobody gave one. */
  readonly fallback: T;
  /** All values given, at least one; a switch that is given has the value `true`. @throws UserError `usage` */
  readonly read: (texts: readonly string[]) => T;
  readonly help: string;
}

type Read<T> = (text: string) => T;

/** Every flag and setting there is. Types, help, defaults and the keys of the settings files come from these rows. */
export const flags = {
  home: single("DIR", words, "env", "keep identity, account and people in this folder"),
  server: single("JOIN", parseJoinLine, "peer", "the server's join line"),
  json: toggle("env", "print events as JSON, one object per line"),
  yes: toggle("peer", "answer yes to every offer"),
  no: toggle("peer", "answer no to every offer"),
  quiet: toggle("both", "only say what failed"),
  verbose: toggle("both", "say more"),
  plain: toggle("peer", "draw nothing: no colours, no redrawn lines"),
  "relay-only": toggle("peer", "go through the server and show nobody an address"),
  "direct-only": toggle("peer", "send nothing through the server"),
  "trust-first-use": toggle("peer", "trust a server key that the join line does not carry"),
  "require-verified": toggle("peer", "talk only to people whose safety number was compared"),
  "no-port-mapping": toggle("peer", "ask no router to open a port"),
  qlog: single(
    "FILE",
    words,
    "line",
    "trace the session into a new FILE for qlog viewers such as qvis: packets, losses, rates; no content, names or addresses; further sessions go into FILE-SESSION; makes fast transfers slower",
  ),
  wait: withDefault("SEC", seconds, 60_000, "peer", "how long to ring, sign in and try again (60)"),
  color: withDefault("auto|always|never", oneOf("auto", "always", "never"), "auto", "both", "use colours"),
  help: { ...toggle("line", "show help"), short: "h" },
  version: { ...toggle("line", "show the version"), short: "V" },

  "password-file": single("F|-", words, "peer", "read the password from the first line of a file, or of stdin"),
  "new-password-file": single("F|-", words, "line", "read the new password likewise"),
  device: single("LABEL", label, "peer", "what to call this device"),
  to: several("NAME", parsePerson, "line", "send to this person"),
  as: single("NAME", words, "line", "the file name under which stdin is sent"),
  out: single("DIR", words, "peer", "save files here (the current folder)"),
  from: several("PERSON", parsePerson, "line", "only from this person"),
  once: toggle("line", "end after the first transfer"),
  conflict: withDefault(
    "number|skip|refuse",
    oneOf("number", "skip", "refuse"),
    "number",
    "peer",
    "when a file of that name exists: save as name (2), skip the file, or refuse the offer",
  ),
  "max-bytes": single("N", whole(0, Number.MAX_SAFE_INTEGER), "peer", "decline offers larger than this"),
  count: { ...withDefault("N", whole(1, 1_000_000), 4, "line", "how many pings (4)"), short: "c" },
  "until-direct": toggle("line", "ping until the path is direct, at most 30 times"),
  matches: single("DIGITS", digits, "line", "compare with the 60 digits that the other person reads out"),
  reset: toggle("line", "forget that the number was compared"),

  listen: several("HOST:PORT", parseListen, "server", "listen here (:7420)"),
  advertise: single(
    "HOST[:PORT]",
    parseAdvertisedPlace,
    "server",
    "the address that others reach this server by; several parted by commas; p2ps://HOST behind a proxy that ends TLS",
  ),
  "advertise-node": single(
    "HOST[:PORT]",
    parseAdvertise,
    "server",
    "with --presence: the address that others reach this very node by",
  ),
  data: single("DIR", words, "env", "keep accounts and keys in this folder"),
  "open-registration": toggle("server", "let anyone register, without an invitation"),
  directory: withDefault("open", directory, "open", "server", "who may see who is online"),
  "no-relay": toggle("server", "carry no words and no files between people, only what brings them together"),
  "trusted-proxy": several(
    "ADDRESS[/BITS]",
    parseProxy,
    "server",
    "believe this proxy's X-Forwarded-For about where people come from",
  ),
  accounts: single("URL", words, "server", "keep accounts in this MongoDB, not in a file of --data"),
  "accounts-file": single(
    "F",
    words,
    "server",
    "a file with that URL, which others may not read: it may hold a password",
  ),
  presence: single("URL", words, "server", "share who is online with other nodes, in this Redis"),
  "presence-file": single("F", words, "server", "a file with that URL, as --accounts-file"),
  "from-url": {
    ...single("URL", words, "line", "the store to copy from, sqlite:PATH or mongodb://HOST/DB; else this server's own"),
    typed: "from",
  },
  "to-url": { ...single("URL", words, "line", "the store to copy into, likewise"), typed: "to" },
  "tls-cert": single("F", words, "server", "speak wss, with the certificate chain in this PEM file"),
  "tls-key": single("F", words, "server", "the private key to --tls-cert, a PEM file that others may not read"),
  metrics: single("HOST:PORT", parseListen, "server", "serve figures for Prometheus here; :PORT is loopback alone"),
  check: toggle("line", "say what is wrong or unsafe about settings and data folder; make and serve nothing"),
  "log-level": withDefault("error|warn|info|debug", logLevel(), "info", "server", "how much to log"),
  uses: withDefault("N", whole(1, 10_000), 1, "line", "how many people it admits (1)"),
  days: withDefault("N", whole(1, 3_650), 7, "line", "how long it holds (7)"),
  ...limitFlags,
};

export type FlagName = keyof typeof flags;
export type FlagValue<K extends FlagName> = (typeof flags)[K] extends FlagRow<infer T> ? T : never;

/** Flags that every verb takes. */
export const globalFlags: readonly FlagName[] = [
  "home",
  "server",
  "json",
  "yes",
  "no",
  "quiet",
  "verbose",
  "plain",
  "relay-only",
  "direct-only",
  "trust-first-use",
  "require-verified",
  "qlog",
  "wait",
  "color",
  "help",
  "version",
];

/** Of these only one holds; a source that beats another one's settles it. */
export const exclusive: readonly (readonly [FlagName, FlagName])[] = [
  ["yes", "no"],
  ["quiet", "verbose"],
  ["relay-only", "direct-only"],
  ["matches", "reset"],
];

/** Known names that this version refuses; a value says whether the flag takes one. */
export const laterFlags: Readonly<Record<string, boolean>> = {
  later: false,
  exclude: true,
  git: false,
  "no-compress": false,
  accept: false,
  search: true,
  delete: false,
  invisible: false,
  "do-not-disturb": false,
  "read-receipts": false,
  "no-history": false,
};

/** What stands behind the dashes on a command line. */
export function typedName(name: FlagName): string {
  const row: { readonly typed?: string } = flags[name];
  return row.typed ?? name;
}

export function isFlagName(text: string): text is FlagName {
  return Object.hasOwn(flags, text);
}

function toggle(reach: Reach, help: string): FlagRow<boolean> {
  return { value: null, many: false, reach, fallback: false, read: ([text = ""]) => truth(text), help };
}

function single<T>(value: string, read: Read<T>, reach: Reach, help: string): FlagRow<T | null> {
  return withDefault<T | null>(value, read, null, reach, help);
}

function withDefault<T>(value: string, read: Read<T>, fallback: T, reach: Reach, help: string): FlagRow<T> {
  return { value, many: false, reach, fallback, read: ([text = ""]) => read(text), help };
}

function several<T>(value: string, read: Read<T>, reach: Reach, help: string): FlagRow<readonly T[]> {
  return { value, many: true, reach, fallback: [], read: (texts) => texts.map((text) => read(text)), help };
}

function truth(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0" || text === "") return false;
  throw usageError("this is neither true nor false", "write true or false");
}

function words(text: string): string {
  if (text === "") throw usageError("the value is empty", "give a value");
  if (text.includes("\0")) throw usageError("the value has a NUL character", "give a value without it");
  return text;
}

function label(text: string): string {
  const bare = text.trim();
  if (bare === "" || new TextEncoder().encode(bare).length > 64 || /\p{C}/u.test(bare))
    throw usageError("a device label has 1 to 64 bytes of printable text", "choose another one, such as laptop");
  return bare;
}

function whole(least: number, most: number): Read<number> {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : -1;
    if (number < least || number > most)
      throw usageError(`this is not a whole number from ${least} to ${most}`, "give a number in digits");
    return number;
  };
}

/** @returns milliseconds */
function seconds(text: string): number {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text))
    throw usageError("this is not a number of seconds", "give one such as 60 or 2.5");
  return Math.round(Number(text) * 1_000);
}

function digits(text: string): string {
  const bare = text.replace(/\s/g, "");
  if (!/^\d{60}$/.test(bare))
    throw usageError("a safety number has 60 digits", 'put all of them in quotes, as in --matches "12345 67890 …"');
  return bare;
}

function oneOf<const T extends string>(...choices: readonly T[]): Read<T> {
  return (text) => {
    const choice = choices.find((each) => each === text);
    if (choice === undefined) throw usageError(`this is not one of ${choices.join(", ")}`, `choose one of them`);
    return choice;
  };
}

function logLevel(): Read<ServeCommand["logLevel"]> {
  return oneOf("error", "warn", "info", "debug");
}

function directory(text: string): "open" {
  if (text === "contacts") throw usageError("this version has no directory of contacts only", "leave it at open");
  return oneOf("open")(text);
}
