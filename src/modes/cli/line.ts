import type { FileOrStdin, Person } from "./command.ts";
import { UserError } from "./errors.ts";
import type { FlagName, FlagValue } from "./flags.ts";
import { parseName, parsePerson } from "./names.ts";
import { usageError } from "./problem.ts";
import type { Settings } from "./settings.ts";

/** What a line says behind its verb, taken from left to right by the verb's row. */
export class Line {
  readonly #verb: string;
  readonly #usage: string;
  readonly #args: string[];
  readonly #tail: string[];
  readonly #settings: Settings;

  /** @param tail what stands after `--` */
  constructor(verb: string, usage: string, args: readonly string[], tail: readonly string[], settings: Settings) {
    this.#verb = verb;
    this.#usage = usage;
    this.#args = [...args];
    this.#tail = [...tail];
    this.#settings = settings;
  }

  flag<K extends FlagName>(name: K): FlagValue<K> {
    return this.#settings.get(name);
  }

  /** @throws UserError `usage` when it is missing or no name */
  person(): Person {
    return this.#labelled(() => parsePerson(this.text("PERSON")));
  }

  /** As {@link person}, null at the end. */
  optionalPerson(): Person | null {
    return this.#args.length + this.#tail.length === 0 ? null : this.person();
  }

  /** A name to sign in with. @throws UserError `usage` when missing, `bad-name` */
  name(): string {
    return parseName(this.text("NAME"));
  }

  /** The next word, wherever it stands. @throws UserError `usage` that says what is missing */
  text(what: string): string {
    const text = this.#args.shift() ?? this.#tail.shift();
    if (text === undefined) throw this.problem(`${what} is missing`);
    if (text === "") throw this.problem(`${what} is empty`);
    return text;
  }

  /** As {@link text}, null at the end. */
  optional(what: string): string | null {
    return this.#args.length + this.#tail.length === 0 ? null : this.text(what);
  }

  /** The rest before `--` and the words after it. */
  rest(): { args: string[]; tail: string[] } {
    return { args: this.#args.splice(0), tail: this.#tail.splice(0) };
  }

  /** A person before `--`, where the words after it are something else. */
  personBeforeDashes(): Person {
    if (this.#args.length === 0) throw this.problem("PERSON is missing");
    return this.person();
  }

  /** For `send`: what is a path and who is a person. */
  pathsAndPeople(): { paths: FileOrStdin[]; people: Person[] } {
    const { args, tail } = this.rest();
    const people = args.filter((arg) => arg.startsWith("@"));
    const paths = [...args.filter((arg) => !arg.startsWith("@")), ...tail];
    if (paths.includes("")) throw this.problem("PATH is empty");
    return { paths, people: people.map((arg) => this.#labelled(() => this.#personNotFile(arg))) };
  }

  /** @throws UserError `usage` when words are left that no rule has taken */
  end(): void {
    const extra = this.#args[0] ?? this.#tail[0];
    if (extra !== undefined) throw this.problem(`"${extra}" is one word too many`);
  }

  problem(message: string): UserError {
    return usageError(`${this.#verb}: ${message}`, `usage: ${this.#usage}`);
  }

  #personNotFile(arg: string): Person {
    try {
      return parsePerson(arg);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      throw usageError(`${arg} is no person: ${reason}`, `for a file of that name write ./${arg}`);
    }
  }

  #labelled<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof UserError) || error.message.startsWith(`${this.#verb}:`)) throw error;
      throw usageError(`${this.#verb}: ${error.message}`, error.hint ?? `usage: ${this.#usage}`);
    }
  }
}
