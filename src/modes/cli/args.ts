import type { Command } from "./command.ts";
import { type FlagName, flags, globalFlags, isFlagName, laterFlags, typedName } from "./flags.ts";
import { laterVerbs, type VerbRow, verbs } from "./grammar.ts";
import { looksLikeJoinLine } from "./join-line.ts";
import { Line } from "./line.ts";
import { usageError } from "./problem.ts";
import type { Settings, Source } from "./settings.ts";
import { nearest } from "./suggest.ts";

/** A command line taken apart: verb and flags known, values not read yet, since the environment and a file may add some. */
export interface Invocation {
  /** Words of the verb, such as `contacts block`. */
  readonly verb: string;
  readonly row: VerbRow;
  readonly args: readonly string[];
  /** After `--`. */
  readonly tail: readonly string[];
  readonly given: Source;
}

interface Words {
  readonly args: string[];
  readonly tail: string[];
  readonly values: Map<FlagName, string[]>;
}

const SEE_HELP = "see p2p help";
const LATER = "this version does not have it";

/**
 * @param exists tells a forgotten verb, `p2p photo.jpg`, from a mistyped one
 * @throws UserError `usage`
 */
export function parseLine(argv: readonly string[], exists: (path: string) => boolean): Invocation {
  const asked = askedInPassing(argv);
  if (asked !== null) return asked;
  const words = split(argv);
  const { verb, length } = findVerb(words, exists);
  const row = rowOf(verb);
  const values = new Map([...words.values].map(([name, texts]) => [meantBy(name, texts, row), texts]));
  for (const name of values.keys()) refuseForeignFlag(name, verb, row);
  const place = (name: FlagName) => (name === "count" ? "-c" : `--${typedName(name)}`);
  const given: Source = { origin: "flag", values, place };
  return { verb, row, args: words.args.slice(length), tail: words.tail, given };
}

/** @throws UserError `usage`, or `bad-name` */
export function toCommand(invocation: Invocation, settings: Settings): Command {
  const { verb, row, args, tail } = invocation;
  const line = new Line(verb, usageOf(verb), args, tail, settings);
  const command = row.build(line);
  line.end();
  return command;
}

/** What to type, as in `p2p ping PERSON [-c N] [--until-direct]`. */
export function usageOf(verb: string): string {
  const row = rowOf(verb);
  return ["p2p", verb, row.operands, ...row.flags.map(flagUsage)].filter((part) => part !== "").join(" ");
}

/** The flag is looked for before parsing, so that usage errors are JSON too. */
export function asksForJson(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): boolean {
  const text = env["P2P_JSON"];
  return beforeDashes(argv).includes("--json") || text === "1" || text === "true";
}

/** A known verb's row. @throws UserError `usage` with what was probably meant */
export function rowOf(verb: string): VerbRow {
  const row = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (row !== undefined) return row;
  if (laterVerbs.some((later) => later === verb)) throw usageError(`p2p ${verb}: ${LATER}`, SEE_HELP);
  const meant = nearest(verb, Object.keys(verbs));
  throw usageError(`there is no "p2p ${verb}"`, meant === null ? SEE_HELP : `did you mean: p2p ${meant}`);
}

/** `-h` and `-V` answer whatever else the line says, or fails to say. */
function askedInPassing(argv: readonly string[]): Invocation | null {
  const words = beforeDashes(argv);
  const given: Source = { origin: "flag", values: new Map(), place: (name) => `--${name}` };
  if (words.includes("--help") || words.includes("-h"))
    return { verb: "help", row: rowOf("help"), args: topicIn(words), tail: [], given };
  if (words.includes("--version") || words.includes("-V"))
    return { verb: "version", row: rowOf("version"), args: [], tail: [], given };
  return null;
}

/** The first verb on the line; a mistyped one is answered by the overview, since asking for help never fails. */
function topicIn(words: readonly string[]): string[] {
  const plain = words.filter((word) => !word.startsWith("-"));
  if (plain[0] === "help") return plain.slice(1);
  for (let start = 0; start < plain.length; start++) {
    const known = longestVerb(plain.slice(start));
    if (known !== null) return known.verb.split(" ");
  }
  return [];
}

function beforeDashes(argv: readonly string[]): readonly string[] {
  const dashes = argv.indexOf("--");
  return dashes < 0 ? argv : argv.slice(0, dashes);
}

/** Words and flags, told apart: whether a flag takes a value depends on its name alone, so that flags may stand anywhere. */
function split(argv: readonly string[]): Words {
  const before = beforeDashes(argv);
  const words: Words = { args: [], tail: argv.slice(before.length + 1), values: new Map() };
  for (let index = 0; index < before.length; index++) {
    const word = before[index] ?? "";
    if (!word.startsWith("-") || word === "-") words.args.push(word);
    else index += takeFlag(word, before[index + 1], words.values);
  }
  return words;
}

/** @returns how many further words the flag took */
function takeFlag(word: string, next: string | undefined, values: Map<FlagName, string[]>): number {
  const equals = word.indexOf("=");
  const typed = equals < 0 ? word : word.slice(0, equals);
  const name = flagNamed(typed);
  const row = flags[name];
  if (row.value === null && equals >= 0) throw usageError(`${typed} takes no value`, `write ${typed} alone`);
  const inline = equals < 0 ? undefined : word.slice(equals + 1);
  const value = row.value === null ? "true" : (inline ?? nextWord(typed, row.value, next));
  const before = values.get(name) ?? [];
  if (before.length > 0 && !row.many) throw usageError(`${typed} is given twice`, "give it once");
  values.set(name, [...before, value]);
  return row.value !== null && inline === undefined ? 1 : 0;
}

function nextWord(typed: string, what: string, next: string | undefined): string {
  if (next === undefined) throw usageError(`${typed} needs a value`, `write ${typed} ${what}`);
  if (next.startsWith("-") && next !== "-")
    throw usageError(`${typed} needs a value, not ${next}`, `write ${typed}=VALUE when the value begins with a dash`);
  return next;
}

function flagNamed(typed: string): FlagName {
  const names = Object.keys(flags).filter((each) => isFlagName(each) && typedName(each) === each) as FlagName[];
  const name = typed.startsWith("--") ? typed.slice(2) : names.find((each) => shortOf(each) === typed.slice(1));
  const known = names.find((each) => each === name);
  if (known !== undefined) return known;
  if (name !== undefined && Object.hasOwn(laterFlags, name)) throw usageError(`${typed}: ${LATER}`, hintForLater(name));
  const meant = name === undefined ? null : nearest(name, names);
  const dash = "a word that begins with a dash stands after --";
  throw usageError(`there is no flag ${typed}`, meant === null ? `${SEE_HELP}; ${dash}` : `did you mean: --${meant}`);
}

function hintForLater(name: string): string {
  return name === "later" ? "try again when `p2p users` shows them online" : SEE_HELP;
}

/** Flags stand before the verb, too: only now it is known whose `--from` it is. */
function meantBy(name: FlagName, texts: readonly string[], row: VerbRow): FlagName {
  const own = row.flags.find((each) => typedName(each) === name);
  if (own === undefined || own === name) return name;
  if (texts.length > 1) throw usageError(`--${name} is given twice`, "give it once");
  return own;
}

function refuseForeignFlag(name: FlagName, verb: string, row: VerbRow): void {
  if (globalFlags.includes(name) || row.flags.includes(name)) return;
  const takers = Object.keys(verbs).filter((each) => verbs[each]?.flags.includes(name));
  const where = takers.map((each) => `p2p ${each}`).join(", ");
  const file = `it is a setting: write ${name} = … into ${flags[name].reach === "server" ? "server.toml" : "config.toml"}`;
  throw usageError(`p2p ${verb} does not take --${name}`, takers.length > 0 ? `it goes with ${where}` : file);
}

/** The verb, and how many words it took; a join line as the first word stands for `peer --server JOIN`. */
function findVerb(words: Words, exists: (path: string) => boolean): { verb: string; length: number } {
  const first = words.args[0];
  if (first === undefined) return { verb: "peer", length: 0 };
  const known = longestVerb(words.args);
  if (known !== null) {
    refuseUnknownAction(known.verb, words.args[known.length]);
    return known;
  }
  refuseLaterVerb(words.args);
  if (looksLikeJoinLine(first) && !exists(first)) {
    if (words.values.has("server")) throw usageError("the join line is given twice", "leave --server out");
    words.values.set("server", [first]);
    return { verb: "peer", length: 1 };
  }
  throw unknownVerb(first, exists);
}

function longestVerb(args: readonly string[]): { verb: string; length: number } | null {
  const [first = "", ...others] = args;
  const canonical = Object.keys(verbs).find((verb) => verbs[verb]?.aliases?.includes(first)) ?? first;
  for (let length = Math.min(3, args.length); length > 0; length--) {
    const verb = [canonical, ...others.slice(0, length - 1)].join(" ");
    if (Object.hasOwn(verbs, verb)) return { verb, length };
  }
  return null;
}

/** `contacts blok bob`: the verb has actions and takes no operand, so the next word was meant as one. */
function refuseUnknownAction(verb: string, next: string | undefined): void {
  if (next === undefined || rowOf(verb).operands !== "") return;
  const actions = Object.keys(verbs).filter((each) => each.startsWith(`${verb} `));
  if (actions.length > 0) rowOf(`${verb} ${next}`);
}

function refuseLaterVerb(args: readonly string[]): void {
  if (laterVerbs.includes(args[0] ?? "")) rowOf(args[0] ?? "");
}

function unknownVerb(first: string, exists: (path: string) => boolean): Error {
  if (first.startsWith("@")) return usageError(`${first} is no command`, `did you mean: p2p chat ${first}`);
  const names = Object.keys(verbs).filter((verb) => !verb.includes(" "));
  const meant = exists(first) ? null : nearest(first, names);
  if (meant !== null) return usageError(`there is no "p2p ${first}"`, `did you mean: p2p ${meant}`);
  if (!exists(first) && /^[^/\\]+:\d+\/?$/.test(first))
    return usageError(`there is no "p2p ${first}"`, `did you mean: p2p p2p://${first}`);
  const isPath = exists(first) || /[./\\]/.test(first);
  return usageError(`there is no "p2p ${first}"`, isPath ? `did you mean: p2p send ${first} @NAME` : SEE_HELP);
}

function shortOf(name: FlagName): string | undefined {
  const row: { readonly short?: string } = flags[name];
  return row.short;
}

function flagUsage(name: FlagName): string {
  const row = flags[name];
  const typed = name === "count" ? "-c" : `--${typedName(name)}`;
  return `[${typed}${row.value === null ? "" : ` ${row.value}`}]${row.many ? "…" : ""}`;
}
