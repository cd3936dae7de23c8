import { expect, test } from "bun:test";
import { UdpPort } from "../../../../src/modes/runtime/udp-port.ts";
import { bindUdp, type UdpSocket } from "../../../../src/modes/runtime/udp-socket.ts";

const onLinux = process.platform === "linux";

/** A port on loopback that keeps what it hears and tells when it has so many bytes. */
async function openPort(offload: boolean, refuses: (bytes: number) => boolean = () => false) {
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
  return { port, heard, calls, hearing, [Symbol.dispose]: () => port.close() };
}

/** A real socket that counts what `send` is given, and refuses some of it as a kernel does whose way out is too narrow. */
function watched(real: UdpSocket, calls: number[], refuses: (bytes: number) => boolean): UdpSocket {
  return new Proxy(real, {
    get(target, name) {
      if (name === "send")
        return (bytes: Uint8Array, port: number, ip: string) => {
          if (refuses(bytes.length)) throw Object.assign(new Error("EIO"), { code: "EIO" });
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
  using a = await openPort(true, (bytes) => bytes > 1_000);
  using b = await openPort(false);
  a.port.send(burst.subarray(0, 5_500), b.port.address, 1_000);
  a.port.send(burst.subarray(0, 2_000), b.port.address, 1_000);
  await b.hearing(7_500);
  expect(b.heard.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 500, 1_000, 1_000]);
  expect(a.port.stats).toMatchObject({ sent: 8, failed: 0 });
});
