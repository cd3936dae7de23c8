import { join } from "node:path";
import { root } from "./sources.ts";

export type Side = "a" | "b" | "c" | "d";
/** A box of the laboratory: a peer, the server, the internet between them, or a router in front of a peer. */
export type Box = Side | "server" | "core" | `${Side}-router` | `${Side}-cgn`;
export type Blocked =
  "all" | "in" | "out" | "v4" | "v6" | "udp" | "tcp" | "server" | "server-udp" | "server-tcp" | "peers";

/** What stands before each peer, in the words of `test/natlab/lab/README.md`: `cone`, `udpblocked`, `cone,stack=dual`. */
export type LabSpec = Readonly<Partial<Record<Side, string>>> & {
  /** All LANs and hosts have the same addresses, as homes often do. */
  readonly overlap?: boolean;
};

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const natlab = join(root, "test/natlab/lab/natlab");

/**
 * A small internet of its own, for as long as it is held:
 * ```
 * await using lab = await Lab.up({ a: "cone", b: "udpblocked" });
 * await using server = start(["server", …], { inside: lab.inside("server") });
 * ```
 * Needs root. Disposing ends what still runs in it. One that an aborted run has left behind goes when the next is made.
 */
export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly #addresses: Map<string, string>;

  private constructor(name: string, addresses: Map<string, string>) {
    this.name = name;
    this.#addresses = addresses;
  }

  /** Sides a and b stand behind `cone` where nothing is said. */
  static async up({ overlap, ...sides }: LabSpec): Promise<Lab> {
    await removeAbandoned();
    const name = freshName();
    const specs = Object.entries(sides).flatMap(([side, spec]) => [`--${side}`, spec]);
    const told = await call("up", "--name", name, ...(overlap === true ? ["--overlap"] : []), ...specs);
    return new Lab(name, readSettings(told));
  }

  get serverIp(): string {
    return this.#address("SERVER_IP");
  }

  /** The server's second address. */
  get serverIp2(): string {
    return this.#address("SERVER_IP2");
  }

  get serverIp6(): string {
    return this.#address("SERVER_IP6");
  }

  /** The peer's own address, in its LAN. */
  ip(side: Side): string {
    return this.#address(`${side.toUpperCase()}_IP`);
  }

  ip6(side: Side): string {
    return this.#address(`${side.toUpperCase()}_IP6`);
  }

  /** The address by which the internet sees the peer. */
  publicIp(side: Side): string {
    return this.#address(`${side.toUpperCase()}_PUBLIC_IP`);
  }

  /** Its name among the system's network namespaces. */
  namespace(side: Side): string {
    return `nl-${this.name}-${side}`;
  }

  /** Words to put before a command, so that it runs in that box. */
  inside(box: Box): readonly string[] {
    return [natlab, "--lab", this.name, "exec", box];
  }

  /** Runs a command in a box to its end. */
  async exec(box: Box, ...command: string[]): Promise<Ran> {
    return run([...this.inside(box), ...command]);
  }

  /** `ip`: a new external address; `port`: new external ports; `flush`: the router restarts. All mappings are forgotten. */
  async rebind(side: Side, how: "ip" | "port" | "flush"): Promise<void> {
    this.#learn(await this.#call("rebind", side, how));
  }

  /** The host gets another address in its LAN. */
  async roam(side: Side): Promise<void> {
    this.#learn(await this.#call("roam", side));
  }

  /** Lifetime of UDP mappings. */
  async timeout(side: Side, seconds: number): Promise<void> {
    await this.#call("timeout", side, `${seconds}`);
  }

  async loss(side: Side, percent: number, way: "up" | "down" | "both" = "both"): Promise<void> {
    await this.#call("loss", side, `${percent}`, way);
  }

  /** Added each way, so a round trip grows by twice as much; 0 takes it off. */
  async delay(side: Side, delayMs: number, jitterMs = 0): Promise<void> {
    await this.#call("delay", side, `${delayMs}`, `${jitterMs}`);
  }

  async rate(side: Side, downMbit: number, upMbit = downMbit, queueMs = 50): Promise<void> {
    await this.#call("rate", side, `${downMbit}`, `${upMbit}`, `${queueMs}`);
  }

  /** Of the path. `blackhole` also swallows the ICMP that would tell. */
  async mtu(side: Side, bytes: number, blackhole = false): Promise<void> {
    await this.#call("mtu", side, `${bytes}`, ...(blackhole ? ["blackhole"] : []));
  }

  /** In place of what was blocked before. */
  async block(side: Side, ...what: [Blocked, ...Blocked[]]): Promise<void> {
    await this.#call("block", side, ...what);
  }

  async unblock(side: Side): Promise<void> {
    await this.#call("unblock", side);
  }

  /** No impairments left. */
  async reset(side: Side): Promise<void> {
    await this.#call("reset", side);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await call("down", this.name);
  }

  #call(...args: string[]): Promise<string> {
    return call("--lab", this.name, ...args);
  }

  #learn(told: string): void {
    for (const [name, value] of readSettings(told)) this.#addresses.set(name, value);
  }

  #address(name: string): string {
    const address = this.#addresses.get(`NATLAB_${name}`);
    if (address === undefined) throw new Error(`lab ${this.name} has no ${name}`);
    return address;
  }
}

/** A lab's name tells whose it is: "t", the process id and a count, both in base 36; at most 8 characters. */
const ownName = /^t([0-9a-z]+)([0-9a-z]{2})$/;
let made = 0;

function freshName(): string {
  made = (made + 1) % 36 ** 2;
  return `t${process.pid.toString(36)}${made.toString(36).padStart(2, "0")}`;
}

async function removeAbandoned(): Promise<void> {
  for (const line of (await call("list")).split("\n")) {
    const [name = ""] = line.split(" ");
    const owner = Number.parseInt(ownName.exec(name)?.[1] ?? "", 36);
    // Another run that starts now may have been faster.
    if (owner > 0 && !isAlive(owner)) await run([natlab, "down", name]);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function readSettings(lines: string): Map<string, string> {
  return new Map([...lines.matchAll(/^(NATLAB_\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));
}

async function call(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run([natlab, ...args]);
  if (exitCode !== 0) throw new Error(`natlab ${args.join(" ")}: ${stderr.trim() || `exit status ${exitCode}`}`);
  return stdout;
}

async function run(command: readonly string[]): Promise<Ran> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}
