import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRelayed } from "../../src/modes/peer/session-path.ts";
import type { P2p } from "../support/binary.ts";
import { Community, type Person, startServer } from "../support/community.ts";

// What an upgrade is to people: the server ends on SIGTERM, and another one starts in its place.
let town: Community;
let ana: Person;
let ben: Person;

beforeEach(async () => {
  town = await Community.found();
  [ana, ben] = [await town.register("ana"), await town.register("ben")];
});
afterEach(() => town[Symbol.asyncDispose]());

async function restarted(): Promise<P2p> {
  town.server.signal("SIGTERM");
  expect((await town.server.finished()).exitCode).toBe(0);
  const next = startServer(join(town.folder, "server"), { listen: town.http });
  await next.waitFor("ready");
  return next;
}

async function chat(...flags: readonly string[]): Promise<{ here: P2p; there: P2p } & AsyncDisposable> {
  const there = ben.start("receive", "--yes", "--out", ben.inbox, ...flags);
  await there.waitFor("waiting");
  const here = ana.startWith({ stdin: "open" }, "chat", "ben", ...flags);
  await here.waitFor("connected");
  return {
    here,
    there,
    async [Symbol.asyncDispose]() {
      await Promise.all([here[Symbol.asyncDispose](), there[Symbol.asyncDispose]()]);
    },
  };
}

async function said(here: P2p, there: P2p, text: string): Promise<void> {
  here.write(`${text}\n`);
  await there.waitFor("message", (message) => message.text === text, 60_000);
  await here.waitFor("delivered", () => true, 60_000);
}

test("a direct chat goes on while the server is away and after it is back, on the same path", async () => {
  await using pair = await chat();
  const { here, there } = pair;
  await here.waitFor("path", (path) => !isRelayed(path));
  await there.waitFor("path", (path) => !isRelayed(path));
  town.server.signal("SIGTERM");
  await town.server.finished();
  await said(here, there, "nobody in between");
  await using next = startServer(join(town.folder, "server"), { listen: town.http });
  await next.waitFor("ready");
  await said(here, there, "still here");
  for (const { events } of [here, there]) {
    expect(events.filter(({ event }) => event === "closed" || event === "error")).toEqual([]);
    expect(events.filter((event) => event.event === "path" && event.kind === "relay-ws")).toEqual([]);
  }
}, 60_000);

test("a chat over the server goes on over the next one", async () => {
  await using pair = await chat("--relay-only");
  const { here, there } = pair;
  await said(here, there, "before");
  await using next = await restarted();
  await said(here, there, "after");
  expect(here.events.filter(({ event }) => event === "closed")).toEqual([]);
  expect(next.events.length).toBe(1);
}, 90_000);

test("whoever waits to be found is found again after a restart", async () => {
  await using receiver = await ben.receiving();
  await using next = await restarted();
  await receiver.waitForText("the server is back");
  expect((await ana.run("msg", "ben", "hello again")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "hello again" });
  expect(next.pid).toBeGreaterThan(0);
}, 60_000);

test("a file over the only server arrives whole although that is killed in mid-transfer and started anew", async () => {
  const source = join(ana.home, "..", "large.bin");
  writeFileSync(source, randomBytes(64 * 1_048_576));
  await using there = await ben.receiving("--yes", "--relay-only");
  await using here = ana.start("send", source, "@ben", "--relay-only");
  await here.waitFor("progress", ({ bytes }) => bytes > 4 * 1_048_576, 60_000);
  town.server.signal("SIGKILL");
  await town.server.finished();
  await using next = startServer(join(town.folder, "server"), { listen: town.http });
  await next.waitFor("ready");
  expect((await here.finished(120_000)).exitCode).toBe(0);
  expect(there.events.filter(({ event }) => event === "error")).toEqual([]);
  expect(readFileSync(join(ben.inbox, "large.bin")).equals(readFileSync(source))).toBe(true);
}, 180_000);
