import { join } from "node:path";
import { debian, whyMissing, whyNoNamespaces } from "../../support/debian.ts";
import { root } from "../../support/sources.ts";

/** What lies between the two ends, in the words of the figures. */
export type Line = "veth" | "veth-nogso" | "veth-loss" | "wan" | "wan-loss";

const lines: Readonly<Record<Line, { readonly about: string; readonly make: () => Promise<Made> }>> = {
  veth: { about: "veth, MTU 1500, offloads on", make: () => veth([]) },
  "veth-nogso": { about: "veth, offloads off: real packets of 1500 bytes", make: () => veth([offloadsOff]) },
  "veth-loss": { about: "veth, offloads off, 1 % lost each way", make: () => veth([offloadsOff, lossOf(0.01)]) },
  wan: { about: "25 ms each way, 500 Mbit/s, 50 ms of queue", make: () => wan([]) },
  "wan-loss": { about: "25 ms each way, 500 Mbit/s, 1 % lost each way", make: () => wan(["-l", "1"]) },
};

interface Made {
  readonly a: Place;
  readonly b: Place;
  readonly remove: () => Promise<void>;
}

/** A network namespace and its address. */
export interface Place {
  readonly ip: string;
  /** Words before a command that is to run there. */
  readonly inside: readonly string[];
}

/** Two network namespaces and what joins them, for as long as it is held. Needs root on Linux. */
export class WireLink implements AsyncDisposable {
  readonly about: string;
  readonly a: Place;
  readonly b: Place;
  readonly #remove: () => Promise<void>;

  private constructor(about: string, { a, b, remove }: Made) {
    this.about = about;
    this.a = a;
    this.b = b;
    this.#remove = remove;
  }

  /** @throws Error where the machine cannot, with the reason */
  static async make(line: Line): Promise<WireLink> {
    const packages = [debian("iproute2", "ip"), debian("ethtool", "ethtool"), debian("iptables", "iptables")];
    const why = whyNoNamespaces() ?? whyMissing([...packages, debian("gcc", "cc"), debian("iperf3", "iperf3")]);
    if (why !== null) throw new Error(why);
    const { about, make } = lines[line];
    return new WireLink(about, await make());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }
}

let made = 0;

function freshName(): string {
  return `bench-${process.pid}-${++made}`;
}

type Change = (namespace: string, device: string) => string;

const offloadsOff: Change = (namespace, device) =>
  `ip netns exec ${namespace} ethtool -K ${device} gso off gro off tso off >/dev/null`;

function lossOf(share: number): Change {
  const rule = `-m statistic --mode random --probability ${share} -j DROP`;
  return (namespace, device) => `ip netns exec ${namespace} iptables -A INPUT -i ${device} ${rule}`;
}

async function veth(changes: readonly Change[]): Promise<Made> {
  const name = freshName();
  const [a, b, near, far] = [`${name}-a`, `${name}-b`, "near", "far"];
  const remove = () => shell(`ip netns del ${a}; ip netns del ${b}; true`);
  await shell(
    `ip netns add ${a}; ip netns add ${b}`,
    `ip link add ${near} netns ${a} type veth peer name ${far} netns ${b}`,
    `ip -n ${a} addr add 10.98.0.1/24 dev ${near}; ip -n ${a} link set ${near} up; ip -n ${a} link set lo up`,
    `ip -n ${b} addr add 10.98.0.2/24 dev ${far}; ip -n ${b} link set ${far} up; ip -n ${b} link set lo up`,
    ...changes.flatMap((change) => [change(a, near), change(b, far)]),
  );
  return { a: place(a, "10.98.0.1"), b: place(b, "10.98.0.2"), remove };
}

/** See test/netdelay. */
async function wan(options: readonly string[]): Promise<Made> {
  const name = freshName();
  const script = join(root, "test/netdelay/link.sh");
  const link = Bun.spawn([script, name, "-d", "25", "-r", "500", "-q", "50", ...options], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = link.stdout.getReader();
  for (let said = ""; !said.includes("ready");) {
    const { value, done } = await reader.read();
    if (done) throw new Error("netdelay has ended");
    said += new TextDecoder().decode(value);
  }
  const remove = async () => {
    link.kill("SIGTERM");
    await link.exited;
  };
  return { a: place(`${name}-a`, "10.99.0.1"), b: place(`${name}-b`, "10.99.0.2"), remove };
}

function place(namespace: string, ip: string): Place {
  return { ip, inside: ["ip", "netns", "exec", namespace] };
}

async function shell(...commands: readonly string[]): Promise<void> {
  const child = Bun.spawn(["sh", "-c", commands.join("\n")], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const said = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`the link cannot be made: ${said.trim()}`);
}
