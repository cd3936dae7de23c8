import { expect, test } from "bun:test";
import { join } from "node:path";
import { root } from "../../../support/sources.ts";
import type { NetworkInterfaceInfo } from "node:os";
import { hostIps, InterfaceWatch, ownSubnets, type ReadInterfaces } from "../../../../src/modes/peer/interfaces.ts";

function info(cidr: string, internal = false): NetworkInterfaceInfo {
  const address = cidr.split("/")[0] ?? "";
  const common = { address, cidr, internal, netmask: "", mac: "00:00:00:00:00:00" };
  return address.includes(":") ? { ...common, family: "IPv6", scopeid: 0 } : { ...common, family: "IPv4" };
}

const laptop: ReadInterfaces = () => ({
  lo: [info("127.0.0.1/8", true), info("::1/128", true)],
  wlan0: [info("192.168.1.5/24"), info("2001:db8:1::5/64"), info("fd00:1::5/64"), info("fe80::5/64")],
  docker0: [info("172.17.0.1/16")],
  "br-1a2b": [info("172.18.0.1/16")],
  tun0: [info("10.8.0.2/32"), info("169.254.3.3/16")],
});

test("hostIps() leaves out loopback, link-local addresses and virtual bridges", () => {
  expect(hostIps(laptop)).toEqual(["192.168.1.5", "10.8.0.2", "2001:db8:1::5", "fd00:1::5"]);
});

test("hostIps() names virtual bridges where there is nothing else", () => {
  expect(hostIps(() => ({ veth0: [info("192.168.7.2/24")], lo: [info("127.0.0.1/8", true)] }))).toEqual([
    "192.168.7.2",
  ]);
  expect(hostIps(() => ({ lo: [info("127.0.0.1/8", true)] }))).toEqual([]);
});

test("hostIps() are at most 8, of which IPv6 gets 3", () => {
  const many = Array.from({ length: 20 }, (_, index) => [info(`10.0.${index}.1/24`), info(`2001:db8:${index}::1/64`)]);
  const ips = hostIps(() => ({ eth0: many.flat() }));
  expect(ips).toHaveLength(8);
  expect(ips.filter((ip) => ip.includes(":"))).toHaveLength(3);
});

test("ownSubnets() keeps the bridges, whose broadcast addresses are not to be checked", () => {
  expect(ownSubnets(laptop)).toEqual([
    { ip: "192.168.1.5", prefix: 24 },
    { ip: "2001:db8:1::5", prefix: 64 },
    { ip: "fd00:1::5", prefix: 64 },
    { ip: "172.17.0.1", prefix: 16 },
    { ip: "172.18.0.1", prefix: 16 },
    { ip: "10.8.0.2", prefix: 32 },
  ]);
});

test("an interface without a known prefix is passed over", () => {
  expect(ownSubnets(() => ({ eth0: [{ ...info("10.0.0.1/8"), cidr: null }], eth1: undefined }))).toEqual([]);
});

test("what this very machine says can be read", () => {
  expect(hostIps().every((ip) => ownSubnets().some((subnet) => subnet.ip === ip))).toBe(true);
});

/** A machine whose network and clocks the test moves; ticks come every 2 s. */
class Machine {
  interfaces: ReadInterfaces = laptop;
  wall = 1_000_000;
  changes = 0;
  readonly #jobs: (() => void)[] = [];
  readonly watch = new InterfaceWatch({
    onChange: () => this.changes++,
    read: () => this.interfaces(),
    wallMs: () => this.wall,
    clock: { now: () => 0, soon: () => () => {}, after: (_, run) => this.#after(run) },
  });

  tick(wallMs = 2_000): number {
    this.wall += wallMs;
    for (const run of this.#jobs.splice(0)) run();
    return this.changes;
  }

  get pending(): number {
    return this.#jobs.length;
  }

  #after(run: () => void): () => void {
    this.#jobs.push(run);
    return () => this.#jobs.splice(this.#jobs.indexOf(run), 1);
  }
}

test("InterfaceWatch tells each change once, and not a change of order", () => {
  const machine = new Machine();
  expect(machine.tick()).toBe(0);
  machine.interfaces = () => ({ wlan0: [info("192.168.43.5/24")] });
  expect(machine.tick()).toBe(1);
  expect(machine.tick()).toBe(1);
  machine.interfaces = () => ({});
  expect(machine.tick()).toBe(2);
  machine.interfaces = () => ({ a: [info("10.0.0.1/8")], b: [info("10.0.0.2/8")] });
  expect(machine.tick()).toBe(3);
  machine.interfaces = () => ({ b: [info("10.0.0.2/8")], a: [info("10.0.0.1/8")] });
  expect(machine.tick()).toBe(3);
});

test("InterfaceWatch takes sleep for a change of network, but not a slow poll", () => {
  const machine = new Machine();
  expect(machine.tick(4_900)).toBe(0);
  expect(machine.tick(60_000)).toBe(1);
  expect(machine.tick()).toBe(1);
});

test("InterfaceWatch goes on when the system does not tell", () => {
  const machine = new Machine();
  machine.interfaces = () => {
    throw new Error("EIO");
  };
  expect(machine.tick()).toBe(0);
  machine.interfaces = laptop;
  expect(machine.tick()).toBe(0);
});

test("InterfaceWatch stops when it is disposed of", () => {
  const machine = new Machine();
  machine.tick();
  machine.watch[Symbol.dispose]();
  expect(machine.pending).toBe(0);
});

test("a program that has used up its files has no addresses for a while, and goes on", async () => {
  const script = `
    import { openSync } from "node:fs";
    import { hostIps } from "${join(root, "src/modes/peer/interfaces.ts")}";
    hostIps();
    try { for (;;) openSync("/dev/null"); } catch {}
    process.stdout.write(JSON.stringify(hostIps()));
  `;
  const child = Bun.spawn(["sh", "-c", 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, script], {
    stderr: "pipe",
  });
  expect(await child.stdout.text()).toBe("[]");
  expect(await child.exited).toBe(0);
});
