import { dlopen, ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { forbidFragments, tuneSocket } from "../../../../src/modes/runtime/socket-options.ts";
import { UdpPort, type UdpPortOptions } from "../../../../src/modes/runtime/udp-port.ts";
import { bindUdp, type UdpHandlers, type UdpSocket } from "../../../../src/modes/runtime/udp-socket.ts";

interface Heard {
  readonly datagram: Uint8Array;
  readonly from: UdpAddress;
}

/** A port on loopback that keeps what it hears. */
async function openPort(options: Partial<UdpPortOptions> = {}) {
  const heard: Heard[] = [];
  const faults: unknown[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const port = await UdpPort.open({
    ip: "127.0.0.1",
    port: 0,
    onDatagram(datagram, from) {
      heard.push({ datagram, from });
      for (const each of waiting) if (heard.length >= each.count) each.resolve();
    },
    onFault: (error) => faults.push(error),
    ...options,
  });
  const hearing = (count: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (heard.length >= count) resolve();
    else waiting.push({ count, resolve });
    return promise;
  };
  return { port, heard, faults, hearing, [Symbol.dispose]: () => port.close() };
}

/** While `single` is set, `send` does that instead, and `sendMany` stops after two datagrams, `batches` times, then before the first. */
interface Fault {
  single: (() => boolean) | null;
  batches: number;
}

/** A real socket whose sends go wrong when told to. */
function faultySocket(real: UdpSocket, fault: Fault): UdpSocket {
  return new Proxy(real, {
    get(target, name) {
      if (name === "send")
        return (bytes: Uint8Array, port: number, ip: string) =>
          fault.single === null ? target.send(bytes, port, ip) : fault.single();
      if (name === "sendMany")
        return (packets: (Uint8Array | string | number)[]) =>
          fault.single === null
            ? target.sendMany(packets)
            : fault.batches-- > 0
              ? target.sendMany(packets.slice(0, 3 * 2))
              : 0;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function failure(code: string): () => boolean {
  return () => {
    throw Object.assign(new Error(code), { code });
  };
}

test("send() carries a datagram, and the receiver is told where it comes from", async () => {
  using a = await openPort();
  using b = await openPort();
  expect(a.port.send(Uint8Array.of(1, 2, 3), b.port.address)).toBe(true);
  await b.hearing(1);
  expect(b.heard).toEqual([{ datagram: Uint8Array.of(1, 2, 3), from: a.port.address }]);
  expect(a.port.stats.sent).toBe(1);
});

test("send() splits a burst into datagrams of its segment size, more than one batch holds", async () => {
  using a = await openPort();
  using b = await openPort();
  const bytes = Uint8Array.from({ length: 100 * 450 + 7 }, (_, index) => index / 100);
  a.port.send(bytes, b.port.address, 100);
  await b.hearing(451);
  expect(b.heard.map(({ datagram }) => datagram.length)).toEqual([...Array.from({ length: 450 }, () => 100), 7]);
  expect(Buffer.concat(b.heard.map(({ datagram }) => datagram)).equals(bytes)).toBe(true);
  expect(a.port.stats.sent).toBe(451);
});

test("open() without a port takes one from 32 768 up, and says when a given one is taken", async () => {
  using a = await openPort({ ip: "0.0.0.0" });
  const { port: _, ...rest } = { ip: "127.0.0.1", port: 0, onDatagram: () => {}, onFault: () => {} };
  const random = await UdpPort.open(rest);
  expect(random.address.port).toBeGreaterThanOrEqual(32_768);
  random.close();
  await expect(openPort({ ip: "0.0.0.0", port: a.port.address.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("bad input 92: send() refuses what the runtime would send to, and never throws", async () => {
  using a = await openPort();
  const ips = [
    "127.1",
    "2130706433",
    "0x7f.1",
    "010.0.0.1",
    "0.0.0.0",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "localhost",
    "127.0.0.1%lo",
    "fe80::1%eth0",
    "",
  ];
  for (const ip of ips) expect(a.port.send(Uint8Array.of(1), { ip, port: 9_999 })).toBe(true);
  for (const port of [0, -1, 65_536, 1.5, Number.NaN])
    expect(a.port.send(Uint8Array.of(1), { ip: "127.0.0.1", port })).toBe(true);
  expect(a.port.send(new Uint8Array(), { ip: "127.0.0.1", port: 9_999 })).toBe(true);
  expect(a.port.stats).toMatchObject({ sent: 0, failed: 0, refused: ips.length + 6 });
});

test("send() after close() is lost in silence", async () => {
  using a = await openPort();
  a.port.close();
  a.port.close();
  expect(a.port.send(Uint8Array.of(1), { ip: "127.0.0.1", port: 9_999 })).toBe(true);
  expect(a.port.stats.refused).toBe(1);
});

test("bad input 14: on a dual-stack socket an IPv4 sender has its plain address, and is answered there", async () => {
  using server = await openPort({ ip: "::", dualStack: true });
  using client = await openPort();
  client.port.send(Uint8Array.of(1), { ip: "127.0.0.1", port: server.port.address.port });
  await server.hearing(1);
  expect(server.heard[0]?.from).toEqual(client.port.address);
  server.port.send(Uint8Array.of(2), client.port.address);
  await client.hearing(1);
  expect(client.heard[0]?.datagram).toEqual(Uint8Array.of(2));
});

test("an IPv6 socket that is not dual-stack neither hears nor sends IPv4", async () => {
  using six = await openPort({ ip: "::" });
  using four = await openPort();
  using other = await openPort({ ip: "::1" });
  four.port.send(Uint8Array.of(4), { ip: "127.0.0.1", port: six.port.address.port });
  other.port.send(Uint8Array.of(6), { ip: "::1", port: six.port.address.port });
  await six.hearing(1);
  expect(six.heard.map(({ datagram }) => datagram[0])).toEqual([6]);
  six.port.send(Uint8Array.of(1), four.port.address);
  expect(six.port.stats.refused).toBe(1);
});

test("bad input 1: empty datagrams do not reach the handler", async () => {
  using a = await openPort();
  const raw = await Bun.udpSocket({ hostname: "127.0.0.1" });
  raw.send("", a.port.address.port, "127.0.0.1");
  raw.send("x", a.port.address.port, "127.0.0.1");
  await a.hearing(1);
  raw.close();
  expect(a.heard).toHaveLength(1);
  expect(a.port.stats).toMatchObject({ received: 1, ignored: 1 });
});

test("bad input 16: a throw in the handler is reported and the port goes on", async () => {
  const thrown = new Error("handler");
  let calls = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  using a = await openPort({
    onDatagram() {
      if (++calls === 2) resolve();
      throw thrown;
    },
  });
  using b = await openPort();
  for (const byte of [1, 2]) b.port.send(Uint8Array.of(byte), a.port.address);
  await promise;
  expect(a.faults).toEqual([thrown, thrown]);
});

/** Sends to dead ports and then a burst to a live one, over and over; what the ICMP errors cost. */
async function sendNextToDeadPorts(options: Partial<UdpPortOptions>, liveIp: string) {
  using a = await openPort(options);
  using live = await openPort({ ip: liveIp });
  using dead = await openPort({ ip: liveIp });
  const deadAddress = dead.port.address;
  dead.port.close();
  for (let round = 1; round <= 30; round++) {
    for (let count = 0; count < 1 + (round % 3); count++) a.port.send(Uint8Array.of(0), deadAddress);
    a.port.send(Uint8Array.of(round, 1, round, 2, round, 3), live.port.address, 2);
    await live.hearing(3 * round);
  }
  return { heard: live.heard.map(({ datagram }) => datagram[0]), stats: a.port.stats };
}

const bursts = Array.from({ length: 30 }, (_, index) => [1 + index, 1 + index, 1 + index]).flat();

for (const [what, own, liveIp] of [
  ["IPv4", { ip: "127.0.0.1" }, "127.0.0.1"],
  ["IPv6", { ip: "::1" }, "::1"],
  ["IPv4 from a dual-stack socket", { ip: "::", dualStack: true }, "127.0.0.1"],
  ["IPv6 from a dual-stack socket", { ip: "::", dualStack: true }, "::1"],
] as const)
  for (const offload of [false, true]) {
    const how = `${what}, with${offload ? "" : "out"} offload`;

    test(`bad input 15: an ICMP error of one destination costs no other a datagram, with the socket tuned: ${how}`, async () => {
      const { heard, stats } = await sendNextToDeadPorts({ ...own, offload, tune: tuneSocket }, liveIp);
      expect(heard).toEqual(bursts);
      if (process.platform === "linux") expect(stats).toMatchObject({ sent: 60 + 90, failed: 0, errors: 0 });
    });

    test(`bad input 15: … and where the socket cannot be tuned, by sending once more: ${how}`, async () => {
      const { heard, stats } = await sendNextToDeadPorts({ ...own, offload, tune: () => false }, liveIp);
      expect(heard).toEqual(bursts);
      expect(stats.failed).toBe(0);
    });
  }

test("bad input 19: no batch reaches the runtime's own 204 datagrams, at whose edge it forgets to say that there is room", async () => {
  const batches: number[] = [];
  const bind: typeof bindUdp = async (...given) => {
    const real = await bindUdp(...given);
    return new Proxy(real, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== "sendMany") return typeof value === "function" ? value.bind(target) : value;
        return (packets: (Uint8Array | string | number)[]) => {
          batches.push(packets.length / 3);
          return target.sendMany(packets);
        };
      },
    });
  };
  using a = await openPort({ bind });
  using b = await openPort();
  for (const datagrams of [203, 204, 205, 408, 650]) {
    const before = b.heard.length;
    a.port.send(new Uint8Array(datagrams), b.port.address, 1);
    await b.hearing(before + datagrams);
  }
  expect(batches.length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...batches)).toBe(200);
});

test("bad input 19: a datagram too large for UDP is counted and told, and the next one leaves", async () => {
  const tooLong: [UdpAddress, number][] = [];
  using a = await openPort({ onTooLong: (to, bytes) => void tooLong.push([to, bytes]) });
  using b = await openPort();
  expect(a.port.send(new Uint8Array(65_508), b.port.address)).toBe(true);
  a.port.send(Uint8Array.of(1), b.port.address);
  await b.hearing(1);
  expect(a.port.stats).toMatchObject({ sent: 1, failed: 1 });
  expect(tooLong).toEqual([[b.port.address, 65_508]]);
});

test("bad input 19: errors of the kernel are caught per send and give up the rest of that burst", async () => {
  const fault: Fault = { single: null, batches: 0 };
  using a = await openPort({ bind: async (...given) => faultySocket(await bindUdp(...given), fault) });
  using b = await openPort();
  for (const code of ["EPERM", "ENETUNREACH", "EMSGSIZE", "EACCES"]) {
    fault.single = failure(code);
    expect(a.port.send(new Uint8Array(5), b.port.address, 2)).toBe(true);
  }
  fault.single = null;
  a.port.send(Uint8Array.of(2), b.port.address);
  await b.hearing(1);
  expect(a.port.stats).toMatchObject({ sent: 1, failed: 4 * 3 });
});

test("bad input 19: without room send() says so, keeps what is left of the burst and goes on when there is room", async () => {
  for (const full of [() => false, failure("ENOBUFS")]) {
    const fault: Fault = { single: full, batches: 2 };
    const { promise: drained, resolve: onDrain } = Promise.withResolvers<void>();
    using a = await openPort({ bind: async (...given) => faultySocket(await bindUdp(...given), fault), onDrain });
    using b = await openPort();
    const bytes = Uint8Array.from({ length: 11 }, (_, index) => index);
    expect(a.port.send(bytes, b.port.address, 1)).toBe(false);
    expect(a.port.stats.sent).toBe(4);
    expect(a.port.send(Uint8Array.of(99), b.port.address)).toBe(false); // lost: it came before the drain
    fault.single = null;
    await drained;
    expect(a.port.send(Uint8Array.of(11), b.port.address)).toBe(true);
    await b.hearing(12);
    expect(b.heard.map(({ datagram }) => datagram[0])).toEqual([...bytes, 11]);
    expect(a.port.stats).toMatchObject({ sent: 12, refused: 1, failed: 0 });
  }
});

test("a burst that the kernel takes in part goes on where it stopped", async () => {
  const fault: Fault = { single: () => true, batches: 3 };
  using a = await openPort({ bind: async (...given) => faultySocket(await bindUdp(...given), fault) });
  using b = await openPort();
  const bytes = Uint8Array.from({ length: 7 }, (_, index) => index);
  expect(a.port.send(bytes, b.port.address, 1)).toBe(true);
  await b.hearing(6);
  expect(b.heard.map(({ datagram }) => datagram[0])).toEqual([0, 1, 2, 3, 4, 5]);
  expect(a.port.stats.sent).toBe(7);
});

test("bad input 18: a datagram that the kernel cut off does not reach the handler", async () => {
  const bound: { handlers: UdpHandlers | null; socket: UdpSocket | null } = { handlers: null, socket: null };
  using a = await openPort({
    async bind(ip, port, handlers) {
      bound.handlers = handlers;
      bound.socket = await bindUdp(ip, port, handlers);
      return bound.socket;
    },
  });
  for (const truncated of [true, false])
    if (bound.socket !== null)
      void bound.handlers?.data?.(bound.socket, Uint8Array.of(1), 5, "28.1.2.3", { truncated, ipv6: false });
  expect(a.heard).toHaveLength(1);
  expect(a.port.stats).toMatchObject({ received: 1, ignored: 1 });
});

test.skipIf(process.platform !== "linux")("tuneSocket() turns ICMP errors off for both families", async () => {
  const tuned: boolean[] = [];
  const tune = (fd: number, family: 4 | 6) => tuned.push(tuneSocket(fd, family)) > 0;
  using four = await openPort({ tune });
  using six = await openPort({ ip: "::", tune });
  expect(tuned).toEqual([true, true]);
  expect(four.port.address.port).not.toBe(six.port.address.port);
  expect(tuneSocket(-1, 4)).toBe(false);
});

/** Whom getsockopt(2) is to ask: IP_MTU_DISCOVER and IPV6_MTU_DISCOVER of Linux. */
const mtuDiscover = [
  { ip: "127.0.0.1", dualStack: false, options: [[0, 10]] },
  { ip: "::", dualStack: false, options: [[41, 23]] },
  {
    ip: "::",
    dualStack: true,
    options: [
      [0, 10],
      [41, 23],
    ],
  },
] as const;

test.skipIf(process.platform !== "linux")(
  "nothing that a port sends is fragmented, and no ICMP message has a say in it",
  async () => {
    const { symbols } = dlopen("libc.so.6", {
      getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    });
    for (const { ip, dualStack, options } of mtuDiscover) {
      let fd = -1;
      using port = await openPort({ ip, dualStack, tune: (given) => (fd = given) > 0 });
      expect(port.port.isUnfragmented).toBe(true);
      for (const [level, option] of options) {
        const [value, length] = [new Int32Array(1), Int32Array.of(4)];
        expect(symbols.getsockopt(fd, level, option, ptr(value), ptr(length))).toBe(0);
        expect([...value]).toEqual([3]); // IP_PMTUDISC_PROBE, IPV6_PMTUDISC_PROBE
      }
    }
    expect(forbidFragments(-1, 4, false)).toBe(false);
  },
);

test("sendWithin() limits the hops of one datagram, and of no other; nothing waits for room with a limit", async () => {
  const calls: string[] = [];
  const fault: Fault = { single: null, batches: 0 };
  const watched = (real: UdpSocket) =>
    new Proxy(faultySocket(real, fault), {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function" || (name !== "send" && name !== "setTTL")) return value;
        return (...args: unknown[]): unknown => {
          calls.push(name === "setTTL" ? `hops ${String(args[0])}` : "send");
          return value(...args);
        };
      },
    });
  const bind = async (...args: Parameters<typeof bindUdp>) => watched(await bindUdp(...args));
  using sender = await openPort({ bind });
  using receiver = await openPort();
  sender.port.sendWithin(4, Uint8Array.of(1), receiver.port.address);
  sender.port.send(Uint8Array.of(2), receiver.port.address);
  await receiver.hearing(2);
  expect(receiver.heard.map(({ datagram }) => datagram[0])).toEqual([1, 2]);
  expect(calls).toEqual(["hops 4", "send", "hops 64", "send"]);
  fault.single = () => false;
  sender.port.sendWithin(4, Uint8Array.of(3), receiver.port.address);
  expect(calls.at(-1)).toBe("hops 64");
  fault.single = null;
  expect(sender.port.send(Uint8Array.of(4), receiver.port.address)).toBe(true);
  await receiver.hearing(3);
  expect(receiver.heard[2]?.datagram[0]).toBe(4);
  expect(sender.port.stats).toMatchObject({ sent: 3, failed: 1 });
});

test.skipIf(process.platform !== "linux")(
  "drop() has the kernel throw away what begins with a byte, and nothing else, until it is told null",
  async () => {
    using sender = await openPort();
    using receiver = await openPort();
    const send = (...leading: readonly number[]) => {
      for (const byte of leading) sender.port.send(Uint8Array.of(byte, 9, 9), receiver.port.address);
    };
    receiver.port.drop(3);
    send(1, 3, 5);
    await receiver.hearing(2);
    receiver.port.drop(null);
    send(3, 1);
    await receiver.hearing(4);
    expect(receiver.heard.map(({ datagram }) => datagram[0])).toEqual([1, 5, 3, 1]);
  },
);
