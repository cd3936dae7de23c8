import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { StatusEvent } from "../../src/modes/cli/events.ts";
import { type Finished, type P2p, run, start } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";

let folder: TemporaryFolder;
let password: string;
beforeEach(() => {
  folder = temporaryFolder();
  password = folder.at("password");
  writeFileSync(password, "correct horse battery\n", { mode: 0o600 });
});
afterEach(() => folder[Symbol.dispose]());

const serve = (...flags: readonly string[]): P2p =>
  start(["server", "--json", "--data", folder.at("data"), "--listen", "127.0.0.1:0", ...flags]);
const admin = (...words: readonly string[]): Promise<Finished> =>
  run(["server", ...words, "--json", "--data", folder.at("data")]);
const person = (name: string, ...words: readonly string[]): readonly string[] => [
  ...words,
  "--json",
  "--home",
  folder.at(name),
];
const register = (name: string, join: string): Promise<Finished> =>
  run(person(name, "register", name, "--server", join, "--password-file", password));
/** Without the invitation: a line that has one resets the password. */
const login = (name: string, join: string): Promise<Finished> =>
  run(person(name, "login", name, "--server", join.replace(/\.[a-z2-7]{26}$/, ""), "--password-file", password));

async function status(): Promise<StatusEvent> {
  const { events } = await admin("status");
  const [event] = events;
  if (event?.event !== "status" || "fingerprint" in event) throw new Error(JSON.stringify(events));
  return event;
}

/** Where the metrics are, as the log tells. */
async function metricsUrl(server: P2p): Promise<string> {
  const line = await server.waitForText(/"http":"[^"]+"[^\n]*"metrics"|"metrics"[^\n]*"http":"[^"]+"/);
  return `http://${/"http":"([^"]+)"/.exec(line)?.[1] ?? ""}`;
}

test("status counts a session from its ring to its end, in JSON, in a table and in the metrics", async () => {
  await using server = serve("--metrics", ":0");
  const { join } = await server.waitFor("ready");
  const url = await metricsUrl(server);
  for (const name of ["ana", "ben"]) expect((await register(name, join)).exitCode).toBe(0);
  await using ben = start(person("ben", "receive", "--yes", "--out", folder.at("out")));
  await ben.waitFor("waiting");
  expect(await status()).toMatchObject({ running: true, people: 1, devices: 1, channels: 1, pairings: 0 });

  const sent = await run(person("ana", "msg", "ben", "hello", "--trust-first-use"));
  expect([sent.exitCode, sent.stderr]).toEqual([0, ""]);
  await ben.waitFor("closed");
  const after = await status();
  if (!after.running) throw new Error("the server is not running");
  expect(Object.values(after.sessions).reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(after.storeMs).toBeGreaterThanOrEqual(0);
  expect(after.relayedBytes).toBeGreaterThan(0);
  expect(after.relayedByAccount.map(({ name }) => name).sort((a, b) => a.localeCompare(b))).toEqual(["ana", "ben"]);
  expect(after.relayedByAccount.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(after.relayedBytes);

  const table = (await run(["server", "status", "--data", folder.at("data")])).stdout;
  expect(table).toMatch(/^server +p2p .*, up /);
  expect(table).toContain("1 ended since the start");

  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  const text = await response.text();
  expect(text).toContain(`\np2p_relayed_bytes_total ${after.relayedBytes}\n`);
  expect(text).toContain("\np2p_people_online 1\n");
  expect(text).toContain("\np2p_accounts_up 1\n");
  expect(text).not.toMatch(/ana|ben/);
});

test("metrics answer on loopback, at their path alone, and not at all without the flag", async () => {
  await using server = serve("--metrics", ":0");
  const { http } = await server.waitFor("ready");
  const url = await metricsUrl(server);
  expect(url).toStartWith("http://127.0.0.1:");
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
  expect((await fetch(`http://${http}/metrics`)).status).toBe(404);
  expect(server.stderr).not.toContain("warning");
  const taken = await run([
    "server",
    "--json",
    "--data",
    folder.at("other"),
    "--listen",
    ":0",
    "--metrics",
    url.slice(7),
  ]);
  expect([taken.exitCode, taken.events.at(-1)]).toMatchObject([2, { event: "error", code: "port-in-use" }]);
});

test("metrics on an address that others reach start with a warning", async () => {
  await using server = serve("--metrics", "0.0.0.0:0");
  await server.waitForText(/warning: the figures of this server can be read from other machines/);
});

test("status without a server is of the accounts alone", async () => {
  await using server = serve();
  await server.waitFor("ready");
  server.signal("SIGTERM");
  await server.exited;
  expect(await status()).toMatchObject({ running: false, storeMs: expect.any(Number) });
  expect((await run(["server", "status", "--data", folder.at("data")])).stdout).toMatch(
    /^server +p2p .*, not running\naccounts +answer in .* ms\n$/,
  );
});

test("block ends what runs and lets nobody sign in, running or not, until unblock", async () => {
  await using server = serve();
  const { join } = await server.waitFor("ready");
  expect((await register("ana", join)).exitCode).toBe(0);
  await using waiting = start(person("ana", "receive", "--yes"));
  await waiting.waitFor("waiting");
  expect((await admin("block", "ana")).exitCode).toBe(0);
  expect((await waiting.finished()).exitCode).toBe(3);
  expect((await login("ana", join)).exitCode).toBe(3);
  expect((await admin("users")).events).toMatchObject([{ event: "user", name: "ana", online: false, blocked: true }]);
  expect((await admin("block", "nobody")).exitCode).toBe(4);
  expect((await admin("unblock", "ana")).exitCode).toBe(0);
  expect((await run(person("ana", "whoami", "--server", join))).exitCode).toBe(3); // its device stays revoked
  expect((await login("ana", join)).exitCode).toBe(0);
  server.signal("SIGTERM");
  await server.finished();
  expect((await admin("block", "ana")).exitCode).toBe(0);
  await using again = serve();
  const { join: line } = await again.waitFor("ready");
  expect((await login("ana", line)).exitCode).toBe(3);
});
