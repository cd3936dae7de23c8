import { binary, environment } from "./binary.ts";
import { temporaryFolder } from "./folder.ts";

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Words in front of the command, as in `start()`. */
  readonly inside?: readonly string[];
  /** In place of `p2p`. */
  readonly executable?: readonly string[];
}

/** False where tmux is missing: `test.skipIf(!hasTerminal)(…)`. */
export const hasTerminal = Bun.which("tmux") !== null;

const DEADLINE_MS = 30_000;
const LOOK_EVERY_MS = 25;

/**
 * `p2p ARGS` at a real terminal of a size, as a person sees it:
 * ```
 * await using terminal = await Terminal.start(["peer", "--home", home]);
 * await terminal.waitFor("join line");
 * await terminal.type(line); await terminal.press("Enter");
 * ```
 * Each has a tmux server (3.2 or later) of its own. The screen stays when the program has ended.
 */
export class Terminal implements AsyncDisposable {
  readonly #folder = temporaryFolder();
  /** In the foreground, so that an aborted run of tests ends it as any other child. */
  readonly #server = Bun.spawn(["tmux", "-u", "-D", "-f", "/dev/null", "-S", this.#folder.at("socket")], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    env: environment(),
  });

  private constructor() {}

  static async start(args: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal();
    const { columns = 80, rows = 24, env = {}, inside = [], executable = [binary] } = options;
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const variables = Object.entries({ ...environment(), ...env }).map(([name, value]) => `${name}=${value}`);
    const command = ["env", "-u", "TMUX", ...variables, ...inside, ...executable, ...args];
    await terminal.#until(() => terminal.#ready(), "tmux", DEADLINE_MS);
    await terminal.#tmux("set", "-g", "remain-on-exit", "on", ";", "set", "-gq", "remain-on-exit-format", "");
    await terminal.#tmux("new-session", "-d", ...size, ...command);
    return terminal;
  }

  /** As if typed: no key names, no line end. */
  async type(text: string): Promise<void> {
    await this.#tmux("send-keys", "-l", "--", text.replace(/;$/, "\\;")); // a last ";" would end the command of tmux
  }

  /** By tmux's names: Enter, Escape, Up, Down, Tab, BSpace, C-c, C-d. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", "--", ...keys);
  }

  /** As if put in from elsewhere: marked as a paste where the program has asked for that. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", "--", text);
    await this.#tmux("paste-buffer", "-p");
  }

  /** What is on the screen: one line a row, without colours and blanks at the end. */
  async screen(): Promise<string> {
    return this.#tmux("capture-pane", "-p");
  }

  /** The screen and what has scrolled off it. */
  async history(): Promise<string> {
    return this.#tmux("capture-pane", "-p", "-J", "-S", "-");
  }

  /** Changes the window, and waits until the program's side of it has the size: tmux passes on no two sizes within 250 ms. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
    const tty = (await this.#tmux("display-message", "-p", "#{pane_tty}")).trimEnd();
    const size = `${rows} ${columns}`;
    await this.#until(async () => ((await sizeOf(tty)) === size ? true : null), `a size of ${size}`, DEADLINE_MS);
  }

  /** Waits until the screen shows it. @returns the match @throws Error with the screen */
  async waitFor(text: string | RegExp, withinMs = DEADLINE_MS): Promise<string> {
    const pattern = typeof text === "string" ? new RegExp(RegExp.escape(text)) : text;
    return this.#until(
      async () => pattern.exec(await this.screen())?.[0] ?? null,
      `${pattern} on the screen`,
      withinMs,
    );
  }

  /** Waits until the screen no longer shows it. */
  async waitUntilGone(text: string, withinMs = DEADLINE_MS): Promise<void> {
    await this.#until(
      async () => ((await this.screen()).includes(text) ? null : true),
      `a screen without ${text}`,
      withinMs,
    );
  }

  /** The exit status of the program, once it has ended; 128 and the signal's number when a signal ended it. */
  async exited(withinMs = DEADLINE_MS): Promise<number> {
    return this.#until(() => this.#status(), "its end", withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill();
    await this.#server.exited;
    this.#folder[Symbol.dispose]();
  }

  async #ready(): Promise<true | null> {
    return this.#tmux("list-commands").then(
      () => true as const,
      () => null,
    );
  }

  async #status(): Promise<number | null> {
    const told = await this.#tmux("display-message", "-p", "#{pane_dead} #{pane_dead_status} #{pane_dead_signal}");
    const [dead, status = "", signal = ""] = told.trimEnd().split(" ");
    if (dead !== "1") return null;
    if (status === "" && signal === "") {
      // tmux knows that the program is gone, but not how: the signal for it was lost now and then. A child of its own makes it look.
      await this.#tmux("run-shell", "true");
      return null;
    }
    return status === "" ? 128 + Number(signal) : Number(status);
  }

  async #until<T>(look: () => Promise<T | null>, what: string, withinMs: number): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (performance.now() > deadline) throw new Error(`terminal: ${what} did not come:\n${await this.history()}`);
      await Bun.sleep(LOOK_EVERY_MS);
    }
  }

  async #tmux(...args: string[]): Promise<string> {
    const command = ["tmux", "-u", "-N", "-S", this.#folder.at("socket"), ...args];
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: environment() });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    if ((await child.exited) !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr.trim()}`);
    return stdout;
  }
}

/** @returns rows and columns of a terminal device, as `24 80` */
async function sizeOf(tty: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", 'stty size <"$0"', tty], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  return (await child.stdout.text()).trimEnd();
}
