import { rowOf, usageOf } from "./args.ts";
import { type FlagName, flags, globalFlags, typedName } from "./flags.ts";
import { verbs } from "./grammar.ts";

const WIDTH = 80;
const INDENT = 2;

const START = `p2p: chat and files straight from one computer to another, encrypted, through any NAT

  p2p server                       on a machine that both can reach: prints a join line
  p2p JOIN-LINE                    on each laptop: asks a few questions, then talks`;

const ENDING = `The flags stand anywhere. PERSON is @NAME or NAME. More about one: p2p help VERB`;
const VERB_ENDING = "Flags that every verb takes: p2p help";

/** The help text of a verb, or the overview. Ends without a newline. @throws UserError `usage` for an unknown topic */
export function helpText(topic: string | null): string {
  if (topic === null) return overview();
  return verbHelp(verbOf(topic));
}

function overview(): string {
  const names = Object.keys(verbs);
  const left = Math.max(...names.map((verb) => call(verb).length)) + INDENT;
  const rows = names.map((verb) => entry(call(verb), rowOf(verb).summary, left));
  return [START, "Commands:", rows.join("\n"), "Flags for all of them:", flagRows(globalFlags), ENDING].join("\n\n");
}

function verbHelp(verb: string): string {
  const row = rowOf(verb);
  const aliases = row.aliases === undefined ? "" : ` (also ${row.aliases.join(", ")})`;
  const parts = [usage(verb), `${row.summary}${aliases}`, ...(row.notes ?? []).map((note) => wrap(note, 0, 0))];
  if (row.flags.length > 0) parts.push(`Flags:\n${flagRows(row.flags)}`);
  const actions = Object.keys(verbs).filter((each) => each.startsWith(`${verb} `));
  if (actions.length > 0) parts.push(wrap(`See also: ${actions.map(call).join(", ")}`, 0, INDENT));
  return [...parts, VERB_ENDING].join("\n\n");
}

function verbOf(topic: string): string {
  const alias = Object.keys(verbs).find((verb) => verbs[verb]?.aliases?.includes(topic));
  return alias ?? topic;
}

/** Broken between flags, never inside one. */
function usage(verb: string): string {
  const unbroken = usageOf(verb).replace(/\[(-\S+) (\S+)\]/g, "[$1\u00a0$2]");
  return wrap(unbroken, 0, 6).replaceAll("\u00a0", " ");
}

function call(verb: string): string {
  return `${verb} ${rowOf(verb).operands}`.trimEnd();
}

function flagRows(names: readonly FlagName[]): string {
  const typed = names.map(flagCall);
  const left = Math.max(...typed.map((text) => text.length)) + INDENT;
  return names.map((name, index) => entry(typed[index] ?? "", flagHelp(name), left)).join("\n");
}

function flagCall(name: FlagName): string {
  const row: { readonly short?: string; readonly value: string | null } = flags[name];
  const short = row.short === undefined ? "" : `-${row.short}, `;
  return `${short}--${typedName(name)}${row.value === null ? "" : ` ${row.value}`}`;
}

function flagHelp(name: FlagName): string {
  return flags[name].many ? `${flags[name].help}; may be given several times` : flags[name].help;
}

function entry(name: string, help: string, left: number): string {
  return wrap(name.padEnd(left) + help, INDENT, left + INDENT);
}

/** Breaks at blanks; lines after the first are indented. */
function wrap(text: string, first: number, next: number): string {
  const lines: string[] = [];
  let line = " ".repeat(first);
  for (const word of text.split(/(?<= )(?=[^ ])/)) {
    if ((line + word).trimEnd().length > WIDTH && line.trim() !== "") {
      lines.push(line.trimEnd());
      line = " ".repeat(next);
    }
    line += word;
  }
  return [...lines, line.trimEnd()].join("\n");
}
