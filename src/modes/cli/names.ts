import { type Person, SELF } from "./command.ts";
import { UserError } from "./errors.ts";
import { usageError } from "./problem.ts";

const RULE = "a name has 3 to 32 characters: a-z and 0-9, with single . _ or - between them";

/** Names nobody may register, so that nobody can pass for the program or its operator. */
const RESERVED = new Set(["admin", "root", "server", "system", "support", "null", "me", "all", "everyone"]);

/**
 * A user name in its one spelling, lower case. Plain ASCII leaves no look-alikes, widths or directions to hide behind.
 * @throws UserError `bad-name`
 */
export function parseName(text: string): string {
  const name = toLowerAscii(text);
  const problem = problemWithName(name);
  if (problem !== null) throw new UserError("bad-name", problem, { hint: RULE });
  return name;
}

/** For a name that somebody wants to register: {@link parseName}, and not reserved. @throws UserError `bad-name` */
export function parseNewName(text: string): string {
  const name = parseName(text);
  if (RESERVED.has(name))
    throw new UserError("bad-name", `the name "${name}" is reserved`, { hint: "choose another name" });
  return name;
}

/** A person as typed: `@name`, `name`, or `@me`. @throws UserError `usage` */
export function parsePerson(text: string): Person {
  if (text === `@${SELF}`) return SELF;
  const name = toLowerAscii(text.startsWith("@") ? text.slice(1) : text);
  const problem = problemWithName(name);
  if (problem !== null) throw usageError(problem, RULE);
  return name;
}

/** Of a name in lower case. @returns null when it is a name */
export function problemWithName(name: string): string | null {
  if (name === "") return "the name is empty";
  if (!/^[a-z0-9._-]*$/.test(name)) return "a name cannot have this character";
  if (name.length < 3) return `"${name}" is too short for a name`;
  if (name.length > 32) return "the name is longer than 32 characters";
  return /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name) ? null : `"${name}" begins, ends or doubles with a . _ or -`;
}

/** ASCII letters only: lower-casing all of Unicode turns some foreign letters, such as the Kelvin sign, into ASCII ones. */
function toLowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
