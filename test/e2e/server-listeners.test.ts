import { afterEach, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { type Listener, listen, type ListenerHandlers } from "../../src/modes/server/listeners.ts";
import { UdpPort } from "../../src/modes/runtime/udp-port.ts";

const opened: Listener[] = [];
const ports: UdpPort[] = [];
afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  for (const { tcp, udp } of opened.splice(0)) {
    udp.close();
    await tcp.stop(true);
  }
});

const handlers: ListenerHandlers = {
  fetch: () => new Response("here"),
  websocket: { message: () => undefined },
  onDatagram: (datagram, from, listener, outlet) => outlet.reply(new Uint8Array([...datagram, listener]), from),
  onFault: (error) => process.emitWarning(String(error)),
};

async function open(host: string | null, port: number): Promise<Listener> {
  const listener = await listen({ host, port }, handlers);
  opened.push(listener);
  return listener;
}

async function udp(onDatagram: (datagram: Uint8Array) => void, port = 0): Promise<UdpPort> {
  const opened = await UdpPort.open({ ip: "127.0.0.1", port, onDatagram, onFault: handlers.onFault });
  ports.push(opened);
  return opened;
}

const hasIpv6 = Object.values(networkInterfaces()).some(
  (each) => each?.some(({ address }) => address === "::1") === true,
);

test("a listener has one number over TCP and UDP, and a second UDP port behind it", async () => {
  const { tcp, udp: places } = await open("127.0.0.1", 0);
  expect(places.addresses.map(({ port }) => port)).toEqual([tcp.port ?? 0, (tcp.port ?? 0) + 1]);
  expect(await (await fetch(`http://127.0.0.1:${tcp.port}/`)).text()).toBe("here");
});

test("each UDP port knows which it is", async () => {
  const { udp: places } = await open("127.0.0.1", 0);
  const heard: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const port = await udp((datagram) => {
    heard.push(datagram.toHex());
    if (heard.length === 2) resolve();
  });
  for (const address of places.addresses) port.send(Uint8Array.of(7), address);
  await promise;
  expect(new Set(heard)).toEqual(new Set(["0700", "0701"]));
});

test("a UDP port that is taken is passed over for the second one, and refused for the first", async () => {
  const number = await freeRun();
  await udp(() => undefined, number + 1);
  const { udp: places } = await open("127.0.0.1", number);
  expect(places.addresses.map(({ port }) => port)).toEqual([number, number + 2]);
  const taken = number + 1;
  expect(await open("127.0.0.1", taken).catch((error: unknown) => error)).toMatchObject({ code: "port-in-use" });
});

test("everywhere means both families where there are two", async () => {
  const { tcp } = await open(null, 0);
  const hosts = hasIpv6 ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"];
  for (const host of hosts) expect(await (await fetch(`http://${host}:${tcp.port}/`)).text()).toBe("here");
});

test("a name is looked up, and one that nobody knows is told with the fix", async () => {
  const { ip } = await open("localhost", 0);
  expect(["127.0.0.1", "::1"]).toContain(ip);
  const error: unknown = await open("no-such-host.invalid", 0).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "config", hint: "give an address of this machine, or :PORT for all of them" });
});

/** A number that was free just now, as were the two behind it. */
async function freeRun(): Promise<number> {
  const listener = await listen({ host: "127.0.0.1", port: 0 }, handlers);
  const number = listener.tcp.port ?? 0;
  listener.udp.close();
  await listener.tcp.stop(true);
  return number;
}
