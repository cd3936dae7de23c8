import { join } from "node:path";

/** A second process at work on an account file: one of the jobs of child.ts. */
export class OtherProcess implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(job: "write" | "hold" | "sign-up" | "leave-open", file: string) {
    const command = [process.execPath, join(import.meta.dir, "child.ts"), job, file];
    this.#process = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.#chunks = this.#process.stdout[Symbol.asyncIterator]();
  }

  /** Waits for more to be said. @returns all whole lines so far */
  async lines(atLeast: number): Promise<readonly string[]> {
    for (;;) {
      const whole = this.#text.split("\n").slice(0, -1);
      if (whole.length >= atLeast || !(await this.#readMore())) return whole;
    }
  }

  /** The signal that cannot be caught. @returns everything that was said before it */
  async kill(): Promise<readonly string[]> {
    this.#process.kill("SIGKILL");
    return this.lines(Number.POSITIVE_INFINITY);
  }

  /** What the other process waits for. @returns everything that it said until its end */
  async goOn(): Promise<readonly string[]> {
    await this.#process.stdin.end();
    return this.lines(Number.POSITIVE_INFINITY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  async #readMore(): Promise<boolean> {
    const chunk = await this.#chunks.next();
    if (chunk.done !== true) this.#text += this.#decoder.decode(chunk.value, { stream: true });
    return chunk.done !== true;
  }
}
