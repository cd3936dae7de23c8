import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CliEvent } from "../../src/modes/cli/events.ts";
import type { EventNamed, Finished } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";

let town: Community;
let ana: Person;
let ben: Person;

beforeAll(async () => {
  town = await Community.found();
  [ana, ben] = [await town.register("ana"), await town.register("ben")];
});

afterAll(() => town[Symbol.asyncDispose]());

const names = (events: readonly CliEvent[]) => events.map(({ event }) => event);

const only = <Name extends CliEvent["event"]>(events: readonly CliEvent[], name: Name) =>
  events.filter((event) => event.event === name) as unknown as readonly EventNamed<Name>[];

/** A refusal as the contract has it: the exit status, and a last line with code, message, hint and side. */
function expectRefusal(finished: Finished, exit: number, code: string): void {
  const last = finished.events.at(-1);
  expect(last).toMatchObject({ v: 1, event: "error", code, exit, fatal: true });
  expect(finished.exitCode).toBe(exit);
  if (last?.event !== "error") return;
  expect(last.message.length).toBeGreaterThan(0);
  expect(last.hint.length).toBeGreaterThan(0);
  expect(["local", "remote", "server"]).toContain(last.side);
}

test("whoami tells the account that the join line made", async () => {
  const { exitCode, events } = await ana.run("whoami");
  expect(exitCode).toBe(0);
  expect(only(events, "signed_in")).toMatchObject([{ user: "ana" }]);
});

test("users lists everybody, and who is online", async () => {
  await using receiver = await ben.receiving();
  const { exitCode, events } = await ana.run("users");
  expect(exitCode).toBe(0);
  expect(only(events, "user")).toContainEqual(expect.objectContaining({ name: "ben", online: true }));
  receiver.signal("SIGINT");
  expect(await receiver.exited).toBe(130);
});

test("messages go both ways, and msg ends when delivered", async () => {
  for (const [from, to] of [
    [ana, ben],
    [ben, ana],
  ] as const) {
    await using receiver = await to.receiving();
    const sent = await from.run("msg", to.name, "hello", "there");
    expect(sent.exitCode).toBe(0);
    const order = names(sent.events).filter((name) => name !== "path");
    expect(order).toEqual(["connected", "posted", "delivered", "closed"]);
    expect(await receiver.waitFor("message")).toMatchObject({ from: from.name, text: "hello there" });
  }
});

test("msg takes its text from stdin", async () => {
  await using receiver = await ben.receiving();
  await using msg = ana.startWith({ stdin: "two\nlines\n" }, "msg", "ben");
  expect((await msg.finished()).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "two\nlines" });
});

test("both ends show the same 60 digits", async () => {
  await using receiver = await ben.receiving();
  const sent = await ana.run("msg", "@ben", "hi");
  const there = await receiver.waitFor("connected");
  expect(only(sent.events, "connected")[0]?.safety).toBe(there.safety);
  expect(there.safety).toMatch(/^\d{60}$/);
  const number = only((await ana.run("verify", "ben")).events, "number")[0];
  expect(number?.digits).toBe(there.safety);
});

test("three files go at once, and a taken name gets a number", async () => {
  const paths = ["one.txt", "two.txt", "three.txt"].map((name) => join(town.folder, name));
  for (const path of paths) await writeFile(path, path);
  for (const suffix of ["", " (2)"]) {
    await using receiver = await ben.receiving("--yes", "--once");
    expect((await ana.run("send", ...paths, "@ben")).exitCode).toBe(0);
    const saved = only((await receiver.finished()).events, "saved");
    expect(saved.map(({ path }) => path)).toEqual(
      ["one", "two", "three"].map((name) => join(ben.inbox, `${name}${suffix}.txt`)),
    );
    for (const [index, { path }] of saved.entries()) expect(await Bun.file(path).text()).toBe(paths[index] ?? "");
  }
});

test("ping counts round trips", async () => {
  await using receiver = await ben.receiving();
  const { exitCode, events } = await ana.run("ping", "ben", "-c", "2");
  expect(exitCode).toBe(0);
  expect(only(events, "pong")).toHaveLength(2);
  expect(receiver.pid).toBeGreaterThan(0);
});

test("chat without a terminal sends each line of stdin and prints what comes", async () => {
  await using online = await ana.receiving();
  await using there = ben.startWith({ stdin: "open" }, "chat", "ana");
  await there.waitFor("connected");
  await using here = ana.startWith({ stdin: "open" }, "chat", "ben");
  const { session } = await here.waitFor("connected");
  await there.waitFor("connected", (connected) => connected.session === session);
  here.write("first\nsecond\n");
  for (const text of ["first", "second"]) expect(await there.waitFor("message")).toMatchObject({ from: "ana", text });
  there.endInput("answer\n");
  expect(await here.waitFor("message")).toMatchObject({ from: "ben", text: "answer" });
  expect(await there.exited).toBe(0);
  expect(await here.exited).toBe(0);
  expect(only(online.events, "message")).toEqual([]);
});

test("declined is 6", async () => {
  await using receiver = await ben.receiving("--no");
  await writeFile(join(town.folder, "unwanted"), "x");
  expectRefusal(await ana.run("send", join(town.folder, "unwanted"), "@ben"), 6, "declined");
  expect(receiver.pid).toBeGreaterThan(0);
});

test("offline is 5, an unknown person 4", async () => {
  expectRefusal(await ana.run("msg", "ben", "hi"), 5, "offline");
  expectRefusal(await ana.run("msg", "nobody", "hi"), 4, "no-such-person");
});

test("a wrong password is 3, a second account in one home 2", async () => {
  const thief = await town.newcomer("ana", {}, "thief");
  await writeFile(thief.passwordFile, "not the password\n");
  expectRefusal(await thief.run("login", "ana", "--password-file", thief.passwordFile), 3, "wrong-password");
  expectRefusal(await ana.run("register", "other", "--password-file", ana.passwordFile), 2, "already-registered");
});

test("a missing file is 9 before anything is connected", async () => {
  expectRefusal(await ana.run("send", join(town.folder, "no such file"), "@ben"), 9, "file-not-found");
});

test("bad flags are 2, and a question that nobody can answer too", async () => {
  expectRefusal(await ana.run("msg", "ben", "hi", "--frobnicate"), 2, "usage");
  expectRefusal(await ana.run("send", "@ben"), 2, "usage");
  expectRefusal(await ana.run("receive", "--out", ana.inbox), 2, "usage");
  expectRefusal(await ana.run("send", town.folder, "@ben"), 2, "usage");
});

test("a server that is down is 10", async () => {
  const town = await Community.found();
  const carl = await town.register("carl");
  town.server.signal("SIGTERM");
  expect(await town.server.exited).toBe(0);
  expectRefusal(await carl.run("users"), 10, "server-unreachable");
  await town[Symbol.asyncDispose]();
});

test("somebody blocked hears that the other is offline", async () => {
  const eve = await town.register("eve");
  await using receiver = await ben.receiving();
  expect((await ben.run("contacts", "block", "eve")).exitCode).toBe(0);
  expectRefusal(await eve.run("msg", "ben", "hi"), 5, "offline");
  expect((await ben.run("contacts", "unblock", "eve")).exitCode).toBe(0);
  expect((await eve.run("msg", "ben", "hi")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ from: "eve" });
});

test("--direct-only connects directly where there is a way", async () => {
  await using receiver = await ben.receiving();
  const { exitCode, events } = await ana.run("msg", "ben", "hi", "--direct-only");
  expect(exitCode).toBe(0);
  expect(only(events, "path").some(({ kind }) => kind === "lan" || kind === "direct")).toBe(true);
  expect(receiver.pid).toBeGreaterThan(0);
});

test("after logout the home has no account", async () => {
  const dora = await town.register("dora");
  expect((await dora.run("logout")).exitCode).toBe(0);
  expectRefusal(await dora.run("users"), 3, "not-signed-in");
});
