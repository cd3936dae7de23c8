import { connect, createServer } from "node:net";
import { type TemporaryFolder, temporaryFolder } from "./folder.ts";

const READY_MS = 15_000;
const LOOK_EVERY_MS = 10;

/** The command of a server that keeps what it has in `folder` and listens on `port` of 127.0.0.1. */
export type ServerCommand = (port: number, folder: string) => readonly string[];

/** A real database server of one test file: started, stopped, frozen, killed and started again on the same port. */
export class DatabaseProcess implements AsyncDisposable {
  readonly port: number;
  readonly #command: ServerCommand;
  readonly #folder: TemporaryFolder = temporaryFolder();
  #child: Bun.Subprocess<"pipe", "ignore", "pipe"> | null = null;

  private constructor(port: number, command: ServerCommand) {
    this.port = port;
    this.#command = command;
  }

  static async start(command: ServerCommand): Promise<DatabaseProcess> {
    const server = new DatabaseProcess(await freePort(), command);
    await server.start();
    return server;
  }

  /** Resolves when it takes connections. @throws Error with what it said */
  async start(): Promise<void> {
    const command = [...this.#command(this.port, this.#folder.path)];
    const child = Bun.spawn(command, { stdin: "pipe", stdout: "ignore", stderr: "pipe" });
    this.#child = child;
    for (const deadline = performance.now() + READY_MS; !(await accepts(this.port));) {
      if (child.exitCode === null && performance.now() < deadline) await Bun.sleep(LOOK_EVERY_MS);
      else throw new Error(`${command[0]} did not start: ${await this.#lastWords(child)}`);
    }
  }

  /** Resolves when it is gone. What it has written to disk stays for the next start. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    this.#child?.kill(signal);
    await this.#child?.exited;
    this.#child = null;
  }

  /** It goes on taking connections, and says nothing. Resolves when all of its threads have stopped. */
  async freeze(): Promise<void> {
    this.#child?.kill("SIGSTOP");
    while (!this.#state().startsWith("T")) await Bun.sleep(LOOK_EVERY_MS);
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#folder[Symbol.dispose]();
  }

  #state(): string {
    const told = Bun.spawnSync(["ps", "-o", "stat=", "-p", `${this.#child?.pid}`], { stdin: "ignore" });
    return told.stdout.toString().trim();
  }

  async #lastWords(child: Bun.Subprocess<"pipe", "ignore", "pipe">): Promise<string> {
    await this.stop();
    return child.stderr.text();
  }
}

/** Nobody listens there for the moment. */
export async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}

async function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => resolve(true));
  socket.on("error", () => resolve(false));
  const accepted = await promise;
  socket.destroy();
  return accepted;
}
