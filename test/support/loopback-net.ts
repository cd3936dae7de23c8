/**
 * A network namespace with nothing but loopback in it, for as long as it is held: what a capture there shows is ours alone.
 * Needs root and iproute2.
 */
export class LoopbackNet implements AsyncDisposable {
  readonly #holder: Bun.Subprocess<"pipe", "pipe", "inherit">;

  private constructor(holder: Bun.Subprocess<"pipe", "pipe", "inherit">) {
    this.#holder = holder;
  }

  static async up(): Promise<LoopbackNet> {
    const hold = "ip link set lo up && echo up && exec cat";
    const holder = Bun.spawn(["unshare", "--net", "sh", "-c", hold], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const { done } = await holder.stdout.getReader().read();
    if (done) throw new Error("cannot make a network namespace with loopback");
    return new LoopbackNet(holder);
  }

  /** Words to put before a command, so that it runs in there. */
  get inside(): readonly string[] {
    return ["nsenter", `--net=/proc/${this.#holder.pid}/ns/net`, "--"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.kill();
    await this.#holder.exited;
  }
}
