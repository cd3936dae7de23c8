import { expect, test } from "bun:test";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { UdpPort } from "../../../../src/modes/runtime/udp-port.ts";
import { bindUdp, type UdpSocket } from "../../../../src/modes/runtime/udp-socket.ts";

const onLinux = process.platform === "linux";

/** The code of the error that a kernel would have for a send of so many bytes; null for none. */
type Refuses = (bytes: number) => string | null;

/** A port on loopback that keeps what it hears and tells when it has so many bytes. */
async function openPort(offload: boolean, refuses: Refuses = () => null) {
  const tooLong: [UdpAddress, number][] = [];
  const heard: Uint8Array[] = [];
  const calls: number[] = [];
  const waiting: { bytes: number; resolve: () => void }[] = [];
  const total = () => heard.reduce((sum, { length }) => sum + length, 0);
  const port = await UdpPort.open({
    ip: "127.0.0.1",
    port: 0,
    offload,
    onDatagram(datagram) {
      heard.push(datagram);
      for (const each of waiting) if (total() >= each.bytes) each.resolve();
    },
    onTooLong: (to, bytes) => void tooLong.push([to, bytes]),
    onFault: (error) => {
      throw error;
    },
    bind: async (...given) => watched(await bindUdp(...given), calls, refuses),
  });
  const hearing = (bytes: number) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (total() >= bytes) resolve();
    else waiting.push({ bytes, resolve });
    return promise;
  };
  return { port, heard, calls, tooLong, hearing, [Symbol.dispose]: () => port.close() };
}

/** A real socket that counts what `send` is given, and refuses some of it as a kernel does whose way out is too narrow. */
function watched(real: UdpSocket, calls: number[], refuses: Refuses): UdpSocket {
  const refuse = (bytes: number) => {
    const code = refuses(bytes);
    if (code !== null) throw Object.assign(new Error(code), { code });
  };
  return new Proxy(real, {
    get(target, name) {
      if (name === "sendMany")
        return (packets: readonly (Uint8Array | string | number)[]) => {
          for (const each of packets) if (each instanceof Uint8Array) refuse(each.length);
          return target.sendMany([...packets]);
        };
      if (name === "send")
        return (bytes: Uint8Array, port: number, ip: string) => {
          refuse(bytes.length);
          calls.push(bytes.length);
          return target.send(bytes, port, ip);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const burst = Uint8Array.from({ length: 70 * 1_000 + 300 }, (_, index) => index >> 4);

test.skipIf(!onLinux)(
  "a burst goes to the kernel in as few calls as it takes, and arrives as its datagrams",
  async () => {
    using a = await openPort(true);
    using b = await openPort(false);
    a.port.send(burst, b.port.address, 1_000);
    await b.hearing(burst.length);
    expect(a.calls).toEqual([64_000, 6_300]);
    expect(b.heard.map(({ length }) => length)).toEqual([...Array<number>(70).fill(1_000), 300]);
    expect(Buffer.concat(b.heard)).toEqual(Buffer.from(burst));
    expect(a.port.stats.sent).toBe(71);
  },
);

test.skipIf(!onLinux)("what the kernel joins is whole datagrams behind each other, in order", async () => {
  using a = await openPort(true);
  using b = await openPort(true);
  a.port.send(burst, b.port.address, 1_000);
  await b.hearing(burst.length);
  expect(b.heard.length).toBeLessThan(71);
  expect(Buffer.concat(b.heard)).toEqual(Buffer.from(burst));
  for (const buffer of b.heard.slice(0, -1)) expect(buffer.length % 1_000).toBe(0);
});

test.skipIf(!onLinux)("a short datagram between bursts, and another size of segments, stay what they are", async () => {
  using a = await openPort(true);
  using b = await openPort(false);
  a.port.send(burst.subarray(0, 3_000), b.port.address, 1_000);
  a.port.send(burst.subarray(0, 72), b.port.address);
  a.port.send(burst.subarray(0, 1_100), b.port.address, 500);
  await b.hearing(4_172);
  expect(b.heard.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 72, 500, 500, 100]);
});

test("a burst that the kernel refuses leaves one by one, and so do those after it", async () => {
  using a = await openPort(true, (bytes) => (bytes > 1_000 ? "EIO" : null));
  using b = await openPort(false);
  a.port.send(burst.subarray(0, 5_500), b.port.address, 1_000);
  a.port.send(burst.subarray(0, 2_000), b.port.address, 1_000);
  await b.hearing(7_500);
  expect(b.heard.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 500, 1_000, 1_000]);
  expect(a.port.stats).toMatchObject({ sent: 8, failed: 0 });
});

test.skipIf(!onLinux)("a datagram longer than the segments before it leaves whole", async () => {
  using a = await openPort(true);
  using b = await openPort(false);
  const sent: number[] = [];
  for (const [bytes, segmentBytes] of [
    [2_400, 1_200],
    [1_452, 1_452],
    [2_400, 1_200],
    [8_952, 8_952],
    [72, 72],
  ] as const) {
    a.port.send(burst.subarray(0, bytes), b.port.address, segmentBytes);
    sent.push(...Array<number>(bytes / segmentBytes).fill(segmentBytes));
  }
  await b.hearing(2_400 + 1_452 + 2_400 + 8_952 + 72);
  expect(b.heard.map(({ length }) => length)).toEqual(sent);
});

test.skipIf(!onLinux)("45 datagrams of 1452 bytes go in one call, a 46th in another; of 8952 bytes 7", async () => {
  using a = await openPort(true);
  using b = await openPort(false);
  a.port.send(burst.subarray(0, 45 * 1_452), b.port.address, 1_452);
  a.port.send(burst.subarray(0, 46 * 1_452), b.port.address, 1_452);
  a.port.send(burst.subarray(0, 7 * 8_952), b.port.address, 8_952);
  await b.hearing(91 * 1_452 + 7 * 8_952);
  expect(a.calls).toEqual([45 * 1_452, 45 * 1_452, 1_452, 7 * 8_952]);
  expect(b.heard.map(({ length }) => length)).toEqual([
    ...Array<number>(91).fill(1_452),
    ...Array<number>(7).fill(8_952),
  ]);
});

test.skipIf(!onLinux)(
  "a burst whose segments are too long for the way out is given up and told; the next goes in one piece",
  async () => {
    // A burst is refused for its segments, whatever the kernel: before 6.14 with EINVAL.
    for (const code of ["EMSGSIZE", "EINVAL"]) {
      let isNarrow = true;
      using a = await openPort(true, (bytes) => (isNarrow ? (bytes > 1_452 ? code : "EMSGSIZE") : null));
      using b = await openPort(false);
      expect(a.port.send(burst.subarray(0, 3 * 1_452), b.port.address, 1_452)).toBe(true);
      expect(a.tooLong).toEqual([[b.port.address, 1_452]]);
      expect(a.port.stats).toMatchObject({ sent: 0, failed: 3 });
      isNarrow = false;
      a.port.send(burst.subarray(0, 3 * 1_200), b.port.address, 1_200);
      await b.hearing(3 * 1_200);
      expect(a.calls).toEqual([3 * 1_200]);
    }
  },
);
