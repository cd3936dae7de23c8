import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatJoinLine, parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { toBase32 } from "../../src/wire/bytes.ts";
import { type Finished, run, type StartOptions } from "../support/binary.ts";
import { Community, Person } from "../support/community.ts";
import { whyNoNamespaces } from "../support/debian.ts";
import { FakePortal, type PortalManner } from "../support/fake-portal.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";
import { Line } from "../support/line.ts";
import { LoopbackNet } from "../support/loopback-net.ts";
import { root } from "../support/sources.ts";

const KEY = toBase32(new Uint8Array(32).fill(9));
let folder: TemporaryFolder;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder[Symbol.dispose]());

async function register(line: string, options: StartOptions = {}): Promise<Finished> {
  writeFileSync(folder.at("password"), "correct horse battery\n", { mode: 0o600 });
  const home = ["--home", folder.at("home"), "--server", line, "--trust-first-use"];
  return run(["register", "ana", "--json", "--password-file", folder.at("password"), ...home], options);
}

const manners: readonly (readonly [PortalManner, string])[] = [
  ["leads away", "sign in first, at portal.hotel.example"],
  ["shows a page", "sign in first"],
  ["says so", "sign in first"],
];
const lines = [
  ["p2p", "a key"],
  ["p2ps", "a key"],
  ["p2p", "no key"],
  ["p2ps", "no key"],
] as const;
const cases = manners.flatMap(([manner, words]) => lines.map(([scheme, key]) => [manner, scheme, key, words] as const));

test.each(cases)(
  "a network that %s in place of the server is told as one that wants a sign-in (%s:// and %s)",
  async (manner, scheme, key, words) => {
    await using portal = await FakePortal.open(manner, { tls: scheme === "p2ps" });
    const { exitCode, events } = await register(
      `${scheme}://127.0.0.1:${portal.port}/${key === "a key" ? `#${KEY}` : ""}`,
    );
    expect(exitCode).toBe(10);
    const said = events.at(-1);
    expect(said).toMatchObject({ event: "error", code: "server-unreachable", side: "local", fatal: true });
    expect(said).toMatchObject({ message: expect.stringMatching(new RegExp(`this network wants you to ${words}$`)) });
    expect(said).toMatchObject({ hint: expect.stringContaining("open a browser") });
    for (const line of portal.asked) expect(line).toMatch(/^GET \/v1\/(channel|key) /); // and no page of its own
  },
);

test("a web site that is no such network is told as no p2p server", async () => {
  await using site = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("<h1>404</h1>", { status: 404, headers: { "Content-Type": "text/html" } }),
  });
  for (const key of [`#${KEY}`, ""]) {
    const { exitCode, events } = await register(`p2p://127.0.0.1:${site.port}/${key}`);
    expect(exitCode).toBe(10);
    expect(events.at(-1)).toMatchObject({ side: "server", message: expect.stringContaining("as a p2p server does") });
  }
});

test("a program whose network begins to want a sign-in says so once, and comes back by itself", async () => {
  await using town = await Community.found();
  const line = await Line.to(Number(town.http.split(":")[1]));
  const [host, port] = ["127.0.0.1", line.port];
  const there = formatJoinLine({ ...parseJoinLine(town.joinLine), nodes: [{ host, port }] });
  const ana = new Person("ana", folder.path, there, {});
  writeFileSync(ana.passwordFile, "correct horse ana\n", { mode: 0o600 });
  expect((await ana.run("register", "ana", "--password-file", ana.passwordFile)).exitCode).toBe(0);
  await using receiver = await ana.receiving();
  await line[Symbol.asyncDispose]();
  await using portal = await FakePortal.open("leads away", { port });
  const message = `cannot reach the server at 127.0.0.1:${port}: this network wants you to sign in first, at portal.hotel.example`;
  expect(await receiver.waitFor("error")).toMatchObject({ message, side: "local", fatal: false });
  const heard = portal.asked.length;
  while (portal.asked.length < heard + 4) await Bun.sleep(20); // it tries on
  await portal[Symbol.asyncDispose]();
  await using again = await Line.to(Number(town.http.split(":")[1]), port);
  await receiver.waitForText("the server is back");
  expect(again.opened).toBeGreaterThan(0);
  expect(receiver.events.filter(({ event }) => event === "error")).toHaveLength(1);
});

test.skipIf(whyNoNamespaces() !== null)(
  "a network that swallows all but the web is known by what it answers for the server's web port",
  async () => {
    await using net = await LoopbackNet.up();
    const ip = "203.0.113.9";
    expect(Bun.spawnSync([...net.inside, "ip", "address", "add", ip, "dev", "lo"]).exitCode).toBe(0);
    const program = [process.execPath, join(root, "test/support/fake-portal.ts"), ip, "80"];
    await using portal = Bun.spawn([...net.inside, ...program], { stdout: "pipe" });
    await portal.stdout.getReader().read();
    const { exitCode, events } = await register(`p2p://${ip}:7420/#${KEY}`, { inside: net.inside });
    expect(exitCode).toBe(10);
    expect(events.at(-1)).toMatchObject({
      side: "local",
      message: `cannot reach the server at ${ip}:7420: this network wants you to sign in first, at portal.hotel.example`,
    });
  },
);
