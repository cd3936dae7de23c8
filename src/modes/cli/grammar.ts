import type { Command, EnrolCommand, MessageCommand, SendCommand, ServeCommand } from "./command.ts";
import type { FlagName } from "./flags.ts";
import { limitsFrom } from "./limits.ts";
import type { Line } from "./line.ts";
import { problemWithName } from "./names.ts";
import { usageError } from "./problem.ts";

/** Which program a verb belongs to: `none` needs neither folder nor mode. */
export type VerbMode = "peer" | "server" | "none";

export interface VerbRow {
  readonly mode: VerbMode;
  /** What follows the verb's words, flags left out. */
  readonly operands: string;
  readonly summary: string;
  readonly aliases?: readonly string[];
  /** Beside those that every verb takes. */
  readonly flags: readonly FlagName[];
  /** More for `help VERB`, one paragraph a string. */
  readonly notes?: readonly string[];
  readonly build: (line: Line) => Command;
}

/** Every verb there is, in the order of help; parsing and help texts come from these rows. A verb of two words stands under both. */
export const verbs: Readonly<Record<string, VerbRow>> = {
  peer: {
    mode: "peer",
    operands: "",
    summary: "talk and exchange files, step by step; also plain p2p, and p2p JOIN",
    flags: [],
    build: () => ({ kind: "peer" }),
  },
  register: {
    mode: "peer",
    operands: "NAME",
    summary: "make an account on a server",
    flags: ["password-file", "device"],
    notes: [
      "Needs a home without an account, and the server's join line in --server.",
      "Example: p2p register ana --server p2p://chat.example/#KEY.INVITE",
    ],
    build: (line) => enrolment("register", line),
  },
  login: {
    mode: "peer",
    operands: "NAME",
    summary: "sign in again, or make this a further device of an account",
    flags: ["password-file", "device"],
    build: (line) => enrolment("login", line),
  },
  logout: {
    mode: "peer",
    operands: "",
    summary: "forget the account here and revoke this device",
    flags: [],
    build: () => ({ kind: "logout" }),
  },
  whoami: {
    mode: "peer",
    operands: "",
    summary: "say who is signed in, and where",
    flags: [],
    build: () => ({ kind: "whoami" }),
  },
  passwd: {
    mode: "peer",
    operands: "",
    summary: "change the password; all other devices are revoked",
    flags: ["password-file", "new-password-file"],
    build: (line) => password(line),
  },
  devices: {
    mode: "peer",
    operands: "",
    summary: "list the devices of this account",
    flags: [],
    build: () => ({ kind: "devices" }),
  },
  "devices revoke": {
    mode: "peer",
    operands: "ID",
    summary: "take a device out of this account",
    flags: [],
    build: (line) => ({ kind: "device-revoke", id: line.text("ID") }),
  },
  users: {
    mode: "peer",
    operands: "",
    summary: "list who is online",
    flags: [],
    build: () => ({ kind: "users" }),
  },
  contacts: {
    mode: "peer",
    operands: "",
    summary: "list the people known here",
    flags: [],
    build: () => ({ kind: "contacts" }),
  },
  "contacts block": {
    mode: "peer",
    operands: "PERSON",
    summary: "hear nothing more from somebody; they see you offline",
    flags: [],
    build: (line) => ({ kind: "block", person: line.person() }),
  },
  "contacts unblock": {
    mode: "peer",
    operands: "PERSON",
    summary: "hear from somebody again",
    flags: [],
    build: (line) => ({ kind: "unblock", person: line.person() }),
  },
  chat: {
    mode: "peer",
    operands: "PERSON",
    summary: "chat; without a terminal each line of stdin is a message",
    flags: [],
    notes: ["Blank lines are no messages."],
    build: (line) => ({ kind: "chat", person: line.person() }),
  },
  msg: {
    mode: "peer",
    operands: "PERSON [TEXT…]",
    summary: "send one message and end when it is delivered",
    flags: [],
    notes: ["Without TEXT all of stdin is the message. After -- everything is text."],
    build: (line) => message(line),
  },
  send: {
    mode: "peer",
    operands: "PATH… @NAME…",
    summary: "send files and end when they are on the other disk",
    aliases: ["tx"],
    flags: ["to", "as"],
    notes: [
      "A word that begins with @ is a person; a file of such a name is ./@name, or stands after --. PATH may be - for stdin, with --as NAME.",
      "Example: p2p send report.pdf photo.jpg @bob",
    ],
    build: (line) => sending(line),
  },
  receive: {
    mode: "peer",
    operands: "",
    summary: "be there for messages and files",
    aliases: ["rx", "recv"],
    flags: ["out", "from", "once", "conflict", "max-bytes"],
    notes: ["Without a terminal to ask at it needs --yes or --no.", "Example: p2p receive --yes --out inbox"],
    build: (line) => ({
      kind: "receive",
      outFolder: line.flag("out"),
      from: [...new Set(line.flag("from"))],
      once: line.flag("once"),
      conflict: line.flag("conflict"),
      maxBytes: line.flag("max-bytes"),
    }),
  },
  ping: {
    mode: "peer",
    operands: "PERSON",
    summary: "measure the way to somebody, first over the server, then directly",
    flags: ["count", "until-direct"],
    notes: [
      "Contacts answer by themselves, without a question. To a stranger it goes over the server only, and shows no address. Ends with 7, and says why, when --until-direct saw no direct path in 30 pings, or none can come.",
      "Example: p2p ping @bob --until-direct",
    ],
    build: (line) => ({
      kind: "ping",
      person: line.person(),
      count: line.flag("count"),
      untilDirect: line.flag("until-direct"),
    }),
  },
  doctor: {
    mode: "peer",
    operands: "[PERSON]",
    summary: "say what this network allows, or why there is a direct path to somebody or not",
    flags: [],
    notes: [
      "Looks at everything at once, for five seconds at most. What it prints holds no address of this machine, so that it can go into a report; with --verbose it does.",
      "With PERSON both ends look, and tell each other without a question; a stranger tells nothing. Ends with 7 when there is no direct path.",
      "Example: p2p doctor @bob",
    ],
    build: (line) => ({ kind: "doctor", person: line.optionalPerson() }),
  },
  verify: {
    mode: "peer",
    operands: "PERSON",
    summary: "show the safety number to compare with somebody, and mark it compared",
    flags: ["matches", "reset"],
    build: (line) => ({
      kind: "verify",
      person: line.person(),
      matches: line.flag("matches"),
      reset: line.flag("reset"),
    }),
  },
  server: {
    mode: "server",
    operands: "",
    summary: "run a meeting place",
    notes: [
      "Its accounts, keys and server.toml lie in --data DIR; else in $STATE_DIRECTORY, as systemd sets it; else for root in /var/lib/p2p; else in ~/.local/share/p2p-server, on macOS ~/Library/Application Support/p2p-server, on Windows %LOCALAPPDATA%\\p2p-server.",
      "Limits are settings of server.toml, such as limit-relay-rate = 12.5; README lists them.",
    ],
    flags: [
      "listen",
      "advertise",
      "advertise-node",
      "data",
      "open-registration",
      "directory",
      "no-relay",
      "trusted-proxy",
      "accounts",
      "accounts-file",
      "presence",
      "presence-file",
      "tls-cert",
      "tls-key",
      "metrics",
      "check",
      "log-level",
    ],
    build: (line) => ({
      kind: "server",
      listen: line.flag("listen").length > 0 ? line.flag("listen") : [{ host: null, port: 7_420 }],
      advertise: line.flag("advertise"),
      advertiseNode: line.flag("advertise-node"),
      openRegistration: line.flag("open-registration"),
      noRelay: line.flag("no-relay"),
      trustedProxies: line.flag("trusted-proxy"),
      limits: limitsFrom((name) => line.flag(name)),
      tls: tlsFiles(line),
      metrics: line.flag("metrics"),
      check: line.flag("check"),
      logLevel: line.flag("log-level"),
    }),
  },
  "server invite": {
    mode: "server",
    operands: "",
    summary: "print a join line that admits new people",
    flags: ["data", "uses", "days"],
    build: (line) => ({ kind: "server-invite", uses: line.flag("uses"), days: line.flag("days") }),
  },
  "server users": {
    mode: "server",
    operands: "",
    summary: "list the accounts",
    flags: ["data"],
    build: () => ({ kind: "server-users" }),
  },
  "server revoke": {
    mode: "server",
    operands: "NAME",
    summary: "sign out all devices of an account",
    flags: ["data"],
    build: (line) => ({ kind: "server-revoke", name: line.name() }),
  },
  "server status": {
    mode: "server",
    operands: "",
    summary: "tell who is there, what was relayed and how the server is",
    flags: ["data"],
    notes: ["Counts are of this node, since it started."],
    build: () => ({ kind: "server-status" }),
  },
  "server block": {
    mode: "server",
    operands: "NAME",
    summary: "shut an account out: sign out its devices, let none sign in",
    flags: ["data"],
    build: (line) => ({ kind: "server-block", name: line.name() }),
  },
  "server unblock": {
    mode: "server",
    operands: "NAME",
    summary: "let an account sign in again, with its password",
    flags: ["data"],
    build: (line) => ({ kind: "server-unblock", name: line.name() }),
  },
  "server passwd": {
    mode: "server",
    operands: "NAME",
    summary: "print a one-time line to set a new password with",
    flags: ["data"],
    build: (line) => ({ kind: "server-passwd", name: line.name() }),
  },
  "server migrate": {
    mode: "server",
    operands: "",
    summary: "copy all accounts from one store into another, and compare them",
    flags: ["from-url", "to-url", "data", "accounts-file"],
    notes: [
      "Copies accounts, devices, invitations with their uses left, blocks and password resets. People notice nothing: they stay signed in, and who was signed out stays so. The store to copy from is left as it is; the other has to be empty, or hold what an earlier run left there: after Ctrl-C, or when a database was away, the same command goes on.",
      "Stop every server that uses either store first. One that runs on --data, or in the folder of a SQLite file, is noticed; whether a server somewhere else uses a MongoDB cannot be known. What is written to the source meanwhile is noticed in the end, and nothing may then use the copy.",
      "Of --from and --to one may be left out: it is the store that this server uses, by accounts or accounts-file in server.toml, else accounts.db in --data. A URL with a password has to come that way, since arguments are for everybody on the machine to read. Where both have one, go by a file: first into sqlite:PATH, then from there.",
      "Example: p2p server migrate --to mongodb://db.example/p2p",
    ],
    build: (line) => ({ kind: "server-migrate", from: line.flag("from-url"), to: line.flag("to-url") }),
  },
  "server key": {
    mode: "server",
    operands: "",
    summary: "print the fingerprint of the server key",
    flags: ["data"],
    build: () => ({ kind: "server-key", file: null }),
  },
  "server key export": {
    mode: "server",
    operands: "FILE",
    summary: "copy the server key into a file",
    flags: ["data"],
    build: (line) => ({ kind: "server-key-export", file: line.text("FILE") }),
  },
  "server key import": {
    mode: "server",
    operands: "FILE",
    summary: "take over a server key, so that people's join lines stay good",
    flags: ["data"],
    build: (line) => ({ kind: "server-key-import", file: line.text("FILE") }),
  },
  version: {
    mode: "none",
    operands: "",
    summary: "print the version",
    flags: [],
    build: () => ({ kind: "version" }),
  },
  help: {
    mode: "none",
    operands: "[TOPIC]",
    summary: "explain a verb",
    flags: [],
    build: (line) => ({ kind: "help", topic: line.rest().args.join(" ") || null }),
  },
};

/** Verbs to come. Naming one is a mistake of its own, so that nobody takes it for a typing error. */
export const laterVerbs: readonly string[] = [
  "pipe",
  "transfers",
  "history",
  "config",
  "service",
  "completion",
  "devices approve",
  "contacts requests",
  "contacts add",
  "contacts remove",
  "contacts accept",
  "contacts accept-key",
  "contacts nick",
  "contacts trust",
];

function enrolment(kind: EnrolCommand["kind"], line: Line): EnrolCommand {
  return { kind, name: line.name(), passwordFile: line.flag("password-file"), deviceLabel: line.flag("device") };
}

function password(line: Line): Command {
  const [passwordFile, newPasswordFile] = [line.flag("password-file"), line.flag("new-password-file")];
  if (passwordFile === "-" && newPasswordFile === "-")
    throw line.problem("stdin cannot be both --password-file and --new-password-file");
  return { kind: "passwd", passwordFile, newPasswordFile };
}

function tlsFiles(line: Line): ServeCommand["tls"] {
  const [cert, key] = [line.flag("tls-cert"), line.flag("tls-key")];
  if (cert !== null && key !== null) return { cert, key };
  if (cert === null && key === null) return null;
  throw line.problem(cert === null ? "--tls-key needs --tls-cert FILE" : "--tls-cert needs --tls-key FILE");
}

function message(line: Line): MessageCommand {
  const person = line.personBeforeDashes();
  const { args, tail } = line.rest();
  const words = [...args, ...tail];
  const text = words.length === 0 ? null : words.join(" ");
  if (text?.trim() === "") throw line.problem("TEXT is empty");
  return { kind: "msg", person, text };
}

function sending(line: Line): SendCommand {
  const { paths, people } = line.pathsAndPeople();
  const to = [...new Set([...people, ...line.flag("to")])];
  const stdinName = line.flag("as");
  if (paths.length === 0) throw line.problem("PATH is missing");
  if (to.length === 0) throw nobodyToSendTo(line, paths);
  if (paths.filter((path) => path === "-").length > 1) throw line.problem("stdin, -, can be sent once only");
  if (paths.includes("-") !== (stdinName !== null))
    throw line.problem(stdinName === null ? "stdin, -, needs a name: add --as NAME" : "--as goes with - (stdin) only");
  return { kind: "send", paths, to, stdinName };
}

/** `send photo.jpg bob`, or what PowerShell leaves of `@bob`. */
function nobodyToSendTo(line: Line, paths: readonly string[]): Error {
  const message = "nobody to send to: add @NAME or --to NAME";
  const last = paths.length > 1 ? (paths.at(-1) ?? "") : "";
  return problemWithName(last) === null
    ? usageError(`send: ${message}`, `did you mean: --to ${last}`)
    : line.problem(message);
}
