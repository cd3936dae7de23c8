import { splitHostPort } from "../../../src/modes/cli/join-line.ts";
import { type P2p, start } from "../../support/binary.ts";
import type { Place } from "./client.ts";

/** Each client is an open file of either end. */
const OPEN_FILES = 20_000;
const WITH_FILES = ["sh", "-c", `ulimit -n ${OPEN_FILES}; exec "$@"`, "sh"];

/** One node of the compiled program, which may die and come back in the same place. */
export class BenchNode implements AsyncDisposable {
  readonly place: Place;
  readonly #folder: string;
  readonly #flags: readonly string[];
  #server: P2p;

  private constructor(folder: string, flags: readonly string[], server: P2p, place: Place) {
    this.#folder = folder;
    this.#flags = flags;
    this.#server = server;
    this.place = place;
  }

  static async start(folder: string, flags: readonly string[], serverKey: Uint8Array): Promise<BenchNode> {
    const { server, port } = await started(folder, 0, flags);
    return new BenchNode(folder, flags, server, { port, serverKey });
  }

  get pid(): number {
    return this.#server.pid;
  }

  /** As if the power had failed. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#server.signal("SIGKILL");
    await this.#server.exited;
  }

  /** Resolves when it is ready again. */
  async restart(): Promise<void> {
    this.#server = (await started(this.#folder, this.place.port, this.#flags)).server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

async function started(folder: string, port: number, flags: readonly string[]): Promise<{ server: P2p; port: number }> {
  const args = ["server", "--json", "--data", folder, "--listen", `127.0.0.1:${port}`, "--log-level", "warn", ...flags];
  const server = start(args, { inside: WITH_FILES });
  const { http } = await server.waitFor("ready");
  return { server, port: Number(splitHostPort(http).port) };
}
