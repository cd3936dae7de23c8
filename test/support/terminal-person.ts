import { readFileSync, writeFileSync } from "node:fs";
import { binary } from "./binary.ts";
import type { TemporaryFolder } from "./folder.ts";
import { Terminal, type TerminalOptions } from "./terminal.ts";

const DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 25;

/** Somebody at a real terminal, with a home folder of their own inside `folder`. */
export class TerminalPerson {
  readonly name: string;
  readonly home: string;
  readonly downloads: string;
  readonly password: string;
  readonly #folder: TemporaryFolder;

  constructor(folder: TemporaryFolder, name: string) {
    this.#folder = folder;
    this.name = name;
    this.home = folder.at(`${name}-home`);
    this.downloads = folder.at(`${name}-downloads`);
    this.password = `correct horse ${name}`;
  }

  /** `p2p ARGS` with this home. */
  at(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    return Terminal.start([...args, "--home", this.home], { ...options, env: this.#env(options) });
  }

  /** As {@link at}, in the folder for downloads, from a shell script that says afterwards how it ended and what it left of the terminal. */
  fromShell(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const script = this.#folder.at(`${this.name}.sh`);
    writeFileSync(
      script,
      `mkdir -p '${this.downloads}' && cd '${this.downloads}' || exit
       sh -c 'echo $$ > "$0"; exec "$@"' '${this.#pidFile}' '${binary}' "$@"
       echo "status $?"
       echo "modes" $(stty -a | tr ' ;' '\\n\\n' | grep -x -e '-*icanon' -e '-*echo' -e '-*isig' | sort)`,
    );
    return this.at(args, { ...options, executable: ["sh", script] });
  }

  /** Of the program that {@link fromShell} started. */
  signal(name: NodeJS.Signals): void {
    process.kill(Number(readFileSync(this.#pidFile, "utf8")), name);
  }

  /** Answers the questions of a first start with a join line, up to the menu. */
  async register(terminal: Terminal): Promise<void> {
    await answer(terminal, "What do you want to be called?", this.name);
    await answer(terminal, "Choose a password", this.password);
    await answer(terminal, "The same password again", this.password);
    await terminal.waitFor("● Talk to somebody");
  }

  get #pidFile(): string {
    return this.#folder.at(`${this.name}.pid`);
  }

  #env(options: TerminalOptions): Record<string, string> {
    return { HOME: this.#folder.path, XDG_DOWNLOAD_DIR: this.downloads, TERM: "screen-256color", ...options.env };
  }
}

/** Types an answer where a question asks for one. */
export async function answer(terminal: Terminal, question: string, text: string): Promise<void> {
  await terminal.waitFor(question);
  await terminal.type(text);
  await terminal.press("Enter");
}

/** Waits until the text stands so many times in what is shown and what has scrolled off. */
export async function times(terminal: Terminal, text: string, count: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const history = await terminal.history();
    if (history.split(text).length > count) return;
    if (performance.now() > deadline) throw new Error(`terminal: ${count} times "${text}" did not come:\n${history}`);
    await Bun.sleep(LOOK_EVERY_MS);
  }
}

/** As {@link answer}, when the question stands there for the `count`-th time. */
export async function answerAgain(terminal: Terminal, question: string, count: number, text: string): Promise<void> {
  await times(terminal, question, count);
  await terminal.type(text);
  await terminal.press("Enter");
}
