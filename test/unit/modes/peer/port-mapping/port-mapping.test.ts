import { expect, test } from "bun:test";
import { askGateway } from "../../../../../src/modes/peer/port-mapping/gateway-http.ts";
import { PortMapping } from "../../../../../src/modes/peer/port-mapping/port-mapping.ts";
import { UdpPort } from "../../../../../src/modes/runtime/udp-port.ts";
import { ModelGateway } from "../../../../support/model-gateway.ts";

/** Of its own where a machine has more than one loopback address, so that runs do not meet at the gateway's port. */
const gatewayIp =
  process.platform === "linux" ? `127.53.${process.pid & 255}.${(process.pid >> 8) & 255}` : "127.0.0.1";
const sockets = [{ socket: 0, family: 4, port: 40_000 }] as const;
const get = (url: string) => ({ method: "GET", url, headers: {}, body: null }) as const;

function fail(error: unknown): never {
  throw error;
}

/** A gateway on loopback that speaks by datagram alone. */
class LoopbackGateway implements AsyncDisposable {
  readonly model = new ModelGateway();
  readonly #port: UdpPort;

  private constructor(port: UdpPort) {
    this.#port = port;
  }

  static async open(): Promise<LoopbackGateway> {
    const port: UdpPort = await UdpPort.open({
      ip: gatewayIp,
      port: 5_351,
      onDatagram: (bytes, from) => {
        const answer = gateway.model.datagram(performance.now(), bytes, { ip: gatewayIp, port: 5_351 });
        if (answer !== null) port.send(answer, from);
      },
      onFault: fail,
    });
    const gateway = new LoopbackGateway(port);
    return gateway;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#port.close();
  }
}

function mappingFrom(ownIp: string, onChange: () => void = () => undefined): PortMapping {
  const find = async () => [{ ownIp, gatewayIp, internalPort: 40_000 }];
  return new PortMapping({ sockets, onChange, onFault: fail, find });
}

test("PortMapping gets a mapping of a real gateway, tells of it, and gives it back", async () => {
  await using gateway = await LoopbackGateway.open();
  const told: string[] = [];
  const mapping: PortMapping = mappingFrom(gatewayIp, () => told.push(mapping.report.state));
  mapping.start();
  expect(mapping.report.state).toBe("asking");
  await mapping.settled();
  expect(mapping.mapped).toEqual([{ ip: "28.1.0.10", port: 40_000 }]);
  expect([told.at(-1), gateway.model.held.size]).toEqual(["mapped", 1]);
  await mapping[Symbol.asyncDispose]();
  expect([mapping.mapped, gateway.model.held.size]).toEqual([[], 0]);
});

test("PortMapping gives a mapping back when its gateway is not on the way any more, as beside a tunnel", async () => {
  await using gateway = await LoopbackGateway.open();
  let gateways = [{ ownIp: gatewayIp, gatewayIp, internalPort: 40_000 }];
  const find = async () => gateways;
  const options = { sockets, onChange: () => undefined, onFault: fail, find, ownIps: () => [gatewayIp] };
  await using mapping = new PortMapping(options);
  mapping.start();
  await mapping.settled();
  expect(gateway.model.held.size).toBe(1);
  gateways = [];
  mapping.refresh();
  await mapping.settled();
  await mapping[Symbol.asyncDispose]();
  expect(gateway.model.held.size).toBe(0);
});

test("PortMapping asks nobody before it is started, without sockets, or after its end", async () => {
  const find = () => Promise.reject(new Error("nobody was to be asked"));
  const options = { onChange: () => undefined, onFault: fail, find };
  const unstarted = new PortMapping({ ...options, sockets });
  unstarted.refresh();
  await unstarted.settled();
  const socketless = new PortMapping({ ...options, sockets: [] });
  socketless.start();
  expect([unstarted.report.state, socketless.report.state]).toEqual(["off", "off"]);
  await unstarted[Symbol.asyncDispose]();
  unstarted.start();
  await unstarted[Symbol.asyncDispose]();
  expect(unstarted.report.homes).toEqual([]);
});

test("PortMapping lives with an own address that is gone by now", async () => {
  await using mapping = mappingFrom("192.0.2.77");
  mapping.start();
  await mapping.settled();
  expect(mapping.report).toMatchObject({ state: "none", homes: [{ ownIp: "192.0.2.77" }] });
});

test("PortMapping hands on what looking for gateways throws, and is none the worse", async () => {
  const faults: unknown[] = [];
  const find = () => Promise.reject(new Error("no table"));
  const options = { sockets, onChange: () => undefined, onFault: (error: unknown) => void faults.push(error), find };
  await using mapping = new PortMapping(options);
  mapping.start();
  await mapping.settled();
  expect([mapping.report.state, faults]).toEqual(["none", [new Error("no table")]]);
});

test("askGateway() brings the status and the text, and follows nobody elsewhere", async () => {
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      if (new URL(request.url).pathname === "/away") return Response.redirect("http://127.0.0.1:1/");
      return new Response(`${request.method} ${request.headers.get("soapaction")}`, { status: 500 });
    },
  });
  const ask = (path: string) => askGateway(get(new URL(path, server.url).href), new AbortController().signal);
  expect((await ask("/away"))?.status).toBe(302);
  const post = { method: "POST", url: server.url.href, headers: { SOAPAction: '"a#b"' }, body: "x" } as const;
  expect(await askGateway(post, new AbortController().signal)).toEqual({ status: 500, body: 'POST "a#b"' });
});

test("askGateway() takes no more than a description may have, and no packed one", async () => {
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname !== "/packed") return new Response("x".repeat(Number(pathname.slice(1))));
      const body = Bun.gzipSync(Buffer.alloc(10_000_000));
      return new Response(body, { headers: { "Content-Encoding": "gzip" } });
    },
  });
  const ask = (path: string) => askGateway(get(new URL(path, server.url).href), new AbortController().signal);
  expect((await ask("/65536"))?.body).toHaveLength(65_536);
  expect(await ask("/65537")).toBeNull();
  expect(await ask("/100000000")).toBeNull();
  expect((await ask("/packed"))?.body.length ?? 0).toBeLessThan(65_536);
});

test("askGateway() has nothing where nobody is, nobody speaks HTTP, or nobody waits any more", async () => {
  const { signal } = new AbortController();
  expect(await askGateway(get("http://127.0.0.1:1/"), signal)).toBeNull();
  await using mute = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => void socket.end("no\n") },
  });
  expect(await askGateway(get(`http://127.0.0.1:${mute.port}/`), signal)).toBeNull();
  expect(await askGateway(get("http://127.0.0.1:1/"), AbortSignal.abort())).toBeNull();
});
