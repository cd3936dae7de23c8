import { expect, test } from "bun:test";
import type { NetworkInterfaceInfo } from "node:os";
import { type DoorHandlers, UdpDoors } from "../../../../src/modes/server/udp-doors.ts";
import type { Clock } from "../../../../src/modes/runtime/clock.ts";
import { UdpPort } from "../../../../src/modes/runtime/udp-port.ts";
import { addressKey } from "../../../../src/wire/address.ts";

const fail = (error: unknown): never => {
  throw error;
};
/** Answers with the number of the listener. */
const handlers: DoorHandlers = {
  onDatagram: (_, from, listener, outlet) => outlet.reply(Uint8Array.of(listener), from),
  onFault: fail,
};

function info(address: string): NetworkInterfaceInfo {
  return { address, cidr: `${address}/32`, family: "IPv4", internal: false, mac: "", netmask: "255.255.255.255" };
}

/** A machine whose addresses are as told. Those of 203.0.113.0/24 are none of this one's, and cannot be listened on. */
class Machine implements Clock {
  ips: readonly string[];
  #due: (() => void) | null = null;

  constructor(...ips: readonly string[]) {
    this.ips = ips;
  }

  readonly read = () => ({ eth0: this.ips.map(info) });

  now(): number {
    return 0;
  }

  after(_: number, run: () => void): () => void {
    this.#due = run;
    return () => void (this.#due = null);
  }

  soon(run: () => void): () => void {
    return this.after(0, run);
  }

  get isLooking(): boolean {
    return this.#due !== null;
  }

  /** Ten seconds pass. */
  begin(): void {
    const due = this.#due;
    this.#due = null;
    due?.();
  }

  async look(): Promise<void> {
    this.begin();
    while (!this.isLooking) await Bun.sleep(1);
  }
}

/** Asks both ports of `ip`. @returns where the answers come from, with what they say */
async function asked(doors: UdpDoors, ip: string): Promise<readonly string[]> {
  const answers: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const port = await UdpPort.open({
    ip: "127.0.0.1",
    port: 0,
    onDatagram(datagram, from) {
      answers.push(`${addressKey(from)} ${datagram.join()}`);
      if (answers.length === 2) resolve();
    },
    onFault: fail,
  });
  for (const { port: number } of doors.addresses) port.send(Uint8Array.of(9), { ip, port: number });
  await promise;
  port.close();
  return answers.toSorted();
}

const several = ["127.0.0.1", "127.0.0.2", "203.0.113.1", "203.0.113.2"] as const;

test("where a machine has several addresses each is answered from itself, by both ports", async () => {
  const machine = new Machine(...several);
  const doors = await UdpDoors.open("0.0.0.0", 0, handlers, { read: machine.read, clock: machine });
  const [{ port: first }, { port: second }] = doors.addresses;
  expect(doors.ips).toEqual(["127.0.0.1", "127.0.0.2"]);
  expect(await asked(doors, "127.0.0.2")).toEqual([`127.0.0.2:${first} 0`, `127.0.0.2:${second} 1`]);
  expect(await asked(doors, "127.0.0.1")).toEqual([`127.0.0.1:${first} 0`, `127.0.0.1:${second} 1`]);
  doors.close();
});

test("addresses that come are listened on within ten seconds, and those that go are let go", async () => {
  const machine = new Machine(...several);
  const doors = await UdpDoors.open("0.0.0.0", 0, handlers, { read: machine.read, clock: machine });
  machine.ips = ["127.0.0.2", "127.0.0.3"];
  await machine.look();
  expect(doors.ips).toEqual(["127.0.0.2", "127.0.0.3"]);
  expect(await asked(doors, "127.0.0.3")).toHaveLength(2);
  doors.close();
  expect(machine.isLooking).toBe(false);
  const again = await UdpDoors.open("0.0.0.0", doors.addresses[0].port, handlers, { read: () => ({}) });
  expect(again.addresses).toEqual(doors.addresses);
  again.close();
});

test("where the system cannot tell its addresses, what is open stays open, and is looked at again", async () => {
  const faults: unknown[] = [];
  const machine = new Machine(...several);
  let isFull = false;
  const read = () => (isFull ? fail(new Error("EMFILE")) : machine.read());
  const onFault = (error: unknown): void => void faults.push(error);
  const doors = await UdpDoors.open("0.0.0.0", 0, { ...handlers, onFault }, { read, clock: machine });
  isFull = true;
  await machine.look();
  expect([doors.ips, faults.length]).toEqual([["127.0.0.1", "127.0.0.2"], 1]);
  isFull = false;
  machine.ips = ["127.0.0.2", "127.0.0.3"];
  await machine.look();
  expect(doors.ips).toEqual(["127.0.0.2", "127.0.0.3"]);
  doors.close();
});

test("one address of each family, or one that was asked for, needs no sockets of its own, until another comes", async () => {
  const machine = new Machine("127.0.0.1", "203.0.113.1", "2001:db8::1", "fe80::1", "fe80::2");
  const all = await UdpDoors.open("0.0.0.0", 0, handlers, { read: machine.read, clock: machine });
  const one = await UdpDoors.open("127.0.0.2", 0, handlers, { read: new Machine(...several).read });
  expect([all.ips, one.ips]).toEqual([["0.0.0.0"], ["127.0.0.2"]]);
  machine.ips = several;
  await machine.look();
  expect(all.ips).toEqual(["127.0.0.1", "127.0.0.2"]);
  expect(await asked(all, "127.0.0.2")).toHaveLength(2);
  all.close();
  expect(machine.isLooking).toBe(false);
  one.close();
});

test("closing in the middle of a look leaves nothing open", async () => {
  const machine = new Machine(...several);
  const doors = await UdpDoors.open("0.0.0.0", 0, handlers, { read: machine.read, clock: machine });
  machine.ips = ["127.0.0.3", "127.0.0.4"];
  machine.begin();
  doors.close();
  await Bun.sleep(50);
  expect([doors.ips, machine.isLooking]).toEqual([[], false]);
  const again = await UdpDoors.open("0.0.0.0", doors.addresses[0].port, handlers, { read: () => ({}) });
  expect(again.addresses).toEqual(doors.addresses);
  again.close();
});

test("where none of the addresses can be listened on alone, all are listened on together", async () => {
  const machine = new Machine("203.0.113.1", "203.0.113.2");
  const doors = await UdpDoors.open("0.0.0.0", 0, handlers, { read: machine.read, clock: machine });
  expect(doors.ips).toEqual(["0.0.0.0"]);
  expect(await asked(doors, "127.0.0.1")).toHaveLength(2);
  doors.close();
});
