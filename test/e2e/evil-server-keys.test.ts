import { afterEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { systemRandom } from "../../src/modes/peer/own-device.ts";
import { toBase32 } from "../../src/wire/bytes.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import type { Finished } from "../support/binary.ts";
import { EvilServer } from "../support/evil-server.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Both keys, so that a person can compare them with what the operator says, and the way out where it was a mistake. */
function expectKeyChanged({ exitCode, events }: Finished, pinned: KeyPair, shown: KeyPair): void {
  const last = events.at(-1);
  expect(last).toMatchObject({ event: "error", code: "server-key-changed", exit: 8, fatal: true, side: "server" });
  expect(exitCode).toBe(8);
  if (last?.event !== "error") return;
  for (const { publicKey } of [pinned, shown]) expect(last.message).toContain(toBase32(publicKey));
  expect(last.hint).toContain("key import");
}

/** A first handshake message, which says nothing to whoever has not the pinned key, and nothing else. */
function expectNothingSaid({ raw, heard }: EvilServer): void {
  expect(raw.map(({ length }) => length)).toEqual(raw.map(() => 96));
  expect(heard).toEqual([]);
}

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
});

function evilServer(...options: ConstructorParameters<typeof EvilServer>): EvilServer {
  const server = new EvilServer(...options);
  open.push(server);
  return server;
}

test("bad input 46: a server with another key than the join line's hears no name and no password", async () => {
  const right = KeyPair.generate(systemRandom);
  const server = evilServer();
  const joinLine = server.joinLine.replace(toBase32(server.keys.publicKey), toBase32(right.publicKey));
  for (const verb of ["register", "login"]) {
    const person = await server.newcomer(verb, joinLine);
    expectKeyChanged(await person.run(verb, "ana", "--password-file", person.passwordFile), right, server.keys);
  }
  expect(server.raw.length).toBeGreaterThan(0);
  expectNothingSaid(server);
});

test("bad input 46: one that shows the right key and has another is a server that cannot be reached", async () => {
  const right = KeyPair.generate(systemRandom);
  const server = evilServer();
  server.showKey = () => new Response(`${toBase32(right.publicKey)}\n`);
  const joinLine = server.joinLine.replace(toBase32(server.keys.publicKey), toBase32(right.publicKey));
  const ana = await server.newcomer("ana", joinLine);
  const { exitCode, events } = await ana.run("register", "ana", "--password-file", ana.passwordFile);
  expect(events.at(-1)).toMatchObject({ event: "error", code: "server-unreachable", side: "server" });
  expect(exitCode).toBe(10);
  expectNothingSaid(server);
});

test("bad input 46: a key that never ends is read no further than a key is long", async () => {
  const right = KeyPair.generate(systemRandom);
  const server = evilServer();
  let shownBytes = 0;
  const hangs = Promise.withResolvers<void>();
  server.showKey = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => {
          shownBytes += 65_536;
          controller.enqueue(new Uint8Array(65_536).fill(0x61));
        },
        cancel: () => hangs.resolve(),
      }),
    );
  const joinLine = server.joinLine.replace(toBase32(server.keys.publicKey), toBase32(right.publicKey));
  const ana = await server.newcomer("ana", joinLine);
  expect((await ana.run("register", "ana", "--password-file", ana.passwordFile)).exitCode).toBe(10);
  await hangs.promise;
  expect(shownBytes).toBeLessThan(32 * 1_024 * 1_024); // what the system buffers between the two
});

test("bad inputs 46 and 192: a server that comes back with a fresh key is told from the one that was pinned", async () => {
  const before = new EvilServer();
  const ana = await before.register("ana");
  await using receiver = await ana.receiving();
  const { port, keys } = before;
  await before.stop();
  const after = evilServer({ port });
  for (const line of [
    ["whoami"],
    ["users"],
    ["msg", "ben", "hi"],
    ["passwd", "--password-file", ana.passwordFile, "--new-password-file", ana.passwordFile],
  ])
    expectKeyChanged(await ana.run(...line), keys, after.keys);
  expectKeyChanged(await receiver.finished(), keys, after.keys);
  expectNothingSaid(after);
  await before[Symbol.asyncDispose]();
});

test.skipIf(Bun.which("openssl") === null)(
  "bad input 47: a good certificate does not make up for another key",
  async () => {
    using folder = temporaryFolder();
    const certificate = folder.at("cert.pem");
    const command =
      "openssl req -x509 -newkey ed25519 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1";
    const made = Bun.spawnSync([...command.split(" "), "-keyout", folder.at("key.pem"), "-out", certificate]);
    expect(made.exitCode).toBe(0);
    const tls = { cert: readFileSync(certificate, "utf8"), key: readFileSync(folder.at("key.pem"), "utf8") };
    const trusted = { env: { NODE_EXTRA_CA_CERTS: certificate } };
    const right = evilServer({ tls });
    const ana = await right.newcomer("ana");
    await using joined = ana.startWith(trusted, "register", "ana", "--password-file", ana.passwordFile);
    expect((await joined.finished()).exitCode).toBe(0);
    expect(parseJoinLine(right.joinLine).secure).toBe(true);

    const pinned = KeyPair.generate(systemRandom);
    const server = evilServer({ tls });
    const joinLine = server.joinLine.replace(toBase32(server.keys.publicKey), toBase32(pinned.publicKey));
    const ben = await server.newcomer("ben", joinLine);
    await using refused = ben.startWith(trusted, "register", "ben", "--password-file", ben.passwordFile);
    expectKeyChanged(await refused.finished(), pinned, server.keys);
    expectNothingSaid(server);
  },
);

test("bad input 48: without a key in the join line nothing is said, unless the first use is trusted; then it is pinned", async () => {
  const before = new EvilServer();
  const keyless = `p2p://127.0.0.1:${before.port}/`;
  const ana = await before.newcomer("ana", keyless);
  const register = ["register", "ana", "--password-file", ana.passwordFile];
  const refused = await ana.run(...register);
  expect(refused.exitCode).toBe(2);
  expect(refused.events.at(-1)).toMatchObject({ event: "error", code: "usage" });
  expect(JSON.stringify(refused.events.at(-1))).toContain("--trust-first-use");
  expect(before.raw).toEqual([]);

  expect((await ana.run(...register, "--trust-first-use")).exitCode).toBe(0);
  await before.stop();
  const after = evilServer({ port: before.port });
  expectKeyChanged(await ana.run("whoami", "--trust-first-use"), before.keys, after.keys);
  expectNothingSaid(after);
  await before[Symbol.asyncDispose]();
});
