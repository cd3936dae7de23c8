/**
 * A network namespace with nothing but loopback in it, for as long as it is held: what a capture there shows is ours alone.
 * Needs root and iproute2.
 */
export class LoopbackNet implements AsyncDisposable {
  readonly #holder: Bun.Subprocess<"pipe", "pipe", "inherit">;

  private constructor(holder: Bun.Subprocess<"pipe", "pipe", "inherit">) {
    this.#holder = holder;
  }

  /** @param beyond further commands for its shell: see {@link nowhere} */
  static async up(beyond: readonly string[] = []): Promise<LoopbackNet> {
    const hold = ["ip link set lo up", ...beyond, "echo up", "exec cat"].join(" && ");
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

/** An interface with these addresses, by which all the rest of the world is reached: what goes there is seen, and lost. */
export function nowhere(addresses: readonly string[]): readonly string[] {
  const family = (address: string) => (address.includes(":") ? "-6" : "-4");
  return [
    "ip link add nowhere arp off type veth peer name behind",
    "ip link set nowhere up",
    "ip link set behind up",
    ...addresses.map(
      (each) => `ip ${family(each)} address add ${each} dev nowhere${each.includes(":") ? " nodad" : ""}`,
    ),
    ...[...new Set(addresses.map(family))].map((each) => `ip ${each} route add default dev nowhere`),
  ];
}
