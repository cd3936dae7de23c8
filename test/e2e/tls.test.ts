import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { fromBase32, toBase32 } from "../../src/wire/bytes.ts";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { type Listener, listen } from "../../src/modes/server/listeners.ts";
import type { TlsFiles } from "../../src/modes/server/tls.ts";
import { type Finished, run } from "../support/binary.ts";
import { selfSigned, writeSelfSigned } from "../support/certificate.ts";
import { Community, startServer } from "../support/community.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";

let folder: TemporaryFolder;
let files: TlsFiles;
beforeEach(() => {
  folder = temporaryFolder();
  files = { cert: folder.at("chain.pem"), key: folder.at("key.pem") };
  writeSelfSigned(files);
});
afterEach(() => folder[Symbol.dispose]());

const town = (): Promise<Community> => Community.found({ flags: ["--tls-cert", files.cert, "--tls-key", files.key] });
/** Somebody new, by this line. */
async function register(name: string, server: string, env: Record<string, string> = {}): Promise<Finished> {
  writeFileSync(folder.at("password"), "correct horse battery\n", { mode: 0o600 });
  const home = ["--home", folder.at(name), "--server", server, "--trust-first-use"];
  return run(["register", name, "--json", "--password-file", folder.at("password"), ...home], { env });
}

/** The certificate that a newcomer is shown, in hex. */
function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate(true).raw.toString("hex"));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

function bytesOf(pem: string): string {
  return Buffer.from(pem.replace(/-----.*-----|\s/g, ""), "base64").toString("hex");
}

test("with a key in the join line any certificate will do, and two people talk over it", async () => {
  await using community = await town();
  expect(parseJoinLine(community.joinLine).secure).toBe(true);
  const [ana, ben] = [await community.register("ana"), await community.register("ben")];
  await using receiver = await ben.receiving("--yes", "--relay-only");
  expect((await ana.run("msg", "ben", "hello", "--relay-only")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "hello" });
});

test("without a key the certificate has to be valid, whatever is trusted at the first use", async () => {
  await using community = await town();
  const [place = "", invitation = ""] = community.joinLine.split(/#.*\./);
  const refused = await register("ana", place);
  expect([refused.exitCode, refused.events.at(-1)]).toMatchObject([10, { code: "server-unreachable", side: "server" }]);
  expect(JSON.stringify(refused.events.at(-1))).toMatch(/self.signed certificate.*whole join line/);
  const vouchedFor = await register("ana", place, { NODE_EXTRA_CA_CERTS: files.cert });
  expect(vouchedFor.events.at(-1)).toMatchObject({ code: "bad-invite" }); // it was let as far as that
  expect(invitation).toMatch(/^[a-z2-7]{26}$/);
});

test("a good certificate does not make up for another key, nor does a bad one hide it", async () => {
  await using community = await town();
  const { key } = parseJoinLine(community.joinLine);
  const other = toBase32(new Uint8Array(32).fill(9));
  const line = community.joinLine.replace(toBase32(key ?? new Uint8Array()), other);
  expect(fromBase32(other)?.length).toBe(32);
  for (const env of [{}, { NODE_EXTRA_CA_CERTS: files.cert }]) {
    expect((await register("ana", line, env)).events.at(-1)).toMatchObject({ code: "server-key-changed", exit: 8 });
  }
});

test("invite and passwd print lines for wss, with the server and without", async () => {
  const data = folder.at("data");
  const flags = ["--tls-cert", files.cert, "--tls-key", files.key];
  const env = { P2P_TLS_CERT: files.cert, P2P_TLS_KEY: files.key };
  const invite = async () => (await run(["server", "invite", "--data", data], { env })).stdout;
  const server = startServer(data, { flags });
  await server.waitFor("ready");
  expect(await invite()).toStartWith("p2ps://");
  server.signal("SIGTERM");
  await server.finished();
  expect(await invite()).toStartWith("p2ps://");
});

test("a server whose key others may read does not start, and tells the fix", async () => {
  chmodSync(files.key, 0o644);
  const server = startServer(folder.at("data"), { flags: ["--tls-cert", files.cert, "--tls-key", files.key] });
  const { exitCode, events } = await server.finished();
  expect([exitCode, events.at(-1)]).toMatchObject([2, { code: "config", hint: expect.stringContaining("chmod") }]);
});

test("a running server takes a renewed certificate, and nobody who is there notices", async () => {
  await using community = await town();
  const [ana, ben] = [await community.register("ana"), await community.register("ben")];
  await using receiver = await ben.receiving("--yes", "--relay-only");
  const port = Number(community.http.split(":")[1]);
  const before = await shownAt(port);
  writeSelfSigned(files);
  await community.server.waitForText("certificate-renewed");
  expect(await shownAt(port)).not.toBe(before);
  expect((await ana.run("msg", "ben", "hello", "--relay-only")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "hello" });
  expect(receiver.stderr).not.toContain("the server is away");
}, 40_000);

async function echoing(): Promise<Listener & AsyncDisposable> {
  const listener = await listen(
    { host: "127.0.0.1", port: 0 },
    {
      fetch: (request, server) =>
        server.upgrade(request, {
          data: { upgrade: { open: () => nobody, leave: () => undefined, ip: "" }, socket: null },
        })
          ? new Response(null)
          : new Response("here"),
      websocket: { message: (socket, bytes) => void socket.send(bytes) },
      onDatagram: () => null,
      onFault: (error) => process.emitWarning(String(error)),
      tls: selfSigned(),
    },
  );
  const close = async () => {
    listener.udp.close();
    await listener.tcp.stop(true);
  };
  return { ...listener, [Symbol.asyncDispose]: close };
}

const nobody = { receive: () => undefined, closed: () => undefined };

test("a port keeps its connections over any number of certificates, and stop() ends them all", async () => {
  await using listener = await echoing();
  const { tcp } = listener;
  const sockets: WebSocket[] = [];
  for (let times = 0; times < 3; times++) {
    const socket = new WebSocket(`wss://127.0.0.1:${tcp.port}/`, { tls: { rejectUnauthorized: false } });
    await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }));
    sockets.push(socket);
    const next = selfSigned();
    tcp.renew(next);
    expect(await shownAt(tcp.port)).toBe(bytesOf(next.cert));
  }
  for (const socket of sockets) {
    const echoed = new Promise((resolve) =>
      socket.addEventListener("message", ({ data }) => resolve(data), { once: true }),
    );
    socket.send("still here");
    expect(await echoed).toBe("still here");
  }
  const ended = sockets.map(
    (socket) => new Promise((resolve) => socket.addEventListener("close", resolve, { once: true })),
  );
  await tcp.stop(true);
  await Promise.all(ended);
  expect(await shownAt(tcp.port).catch(() => "nobody")).toBe("nobody");
});

/** What comes back before the other end hangs up. */
function answerTo(bytes: string | Uint8Array, port: number): Promise<string> {
  return new Promise((resolve) => {
    const heard: string[] = [];
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("latin1");
    socket.on("data", (data) => void heard.push(String(data)));
    socket.on("error", () => undefined); // a reset is an end too
    socket.on("close", () => resolve(heard.join("")));
  });
}

test("bad input 38: plain HTTP and noise on the TLS port are hung up on, without a line in the log", async () => {
  await using community = await town();
  const port = Number(community.http.split(":")[1]);
  await community.server.waitForText(/"name":"ready".*\n/);
  const before = community.server.stderr;
  for (const bytes of [
    "GET /v1/key HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/channel HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    crypto.getRandomValues(new Uint8Array(600)),
  ])
    expect(await answerTo(bytes, port)).not.toContain("HTTP/1.1");
  expect(community.server.stderr).toBe(before);
  expect((await register("ana", community.joinLine)).exitCode).toBe(0);
});
