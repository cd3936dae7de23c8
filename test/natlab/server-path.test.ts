import { afterAll, beforeAll, expect, test } from "bun:test";
import { Village } from "./village.ts";

let village: Village;
beforeAll(async () => void (village = await Village.settle({ a: "cone", b: "udpblocked" })));
afterAll(() => village[Symbol.asyncDispose]());

test("where UDP is blocked, chat goes over the server and the path says so", async () => {
  const { ana, ben } = village;
  await using receiver = await ben.receiving();
  await using chat = ana.startWith({ stdin: "one\ntwo\nthree\n" }, "chat", "ben");
  const { exitCode, events } = await chat.finished();
  expect(exitCode).toBe(0);
  for (const text of ["one", "two", "three"]) expect(await receiver.waitFor("message")).toMatchObject({ text });
  expect(events.find(({ event }) => event === "connected")).toMatchObject({ path: "relay-ws" });
  for (const { event, ...rest } of [...events, ...receiver.events])
    if (event === "path") expect(rest).toMatchObject({ kind: "relay-ws" });
});

test("where UDP is blocked, a file of 10 MiB arrives whole", async () => {
  const { ana, ben } = village;
  const file = await village.file(10 * 2 ** 20);
  await using receiver = await ben.receiving("--yes", "--once");
  expect(await ana.run("send", file.path, "@ben")).toMatchObject({ exitCode: 0 });
  expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  expect(await file.hasArrived()).toBe(true);
});

test("where UDP is blocked, --direct-only gives up with status 7 and sends nothing", async () => {
  const { ana, ben } = village;
  await using receiver = await ben.receiving();
  const { exitCode, events } = await ana.run("msg", "ben", "not over the server", "--direct-only");
  expect(exitCode).toBe(7);
  expect(events.at(-1)).toMatchObject({ event: "error", code: "no-path", fatal: true });
  await receiver.waitFor("closed");
  expect(receiver.events.filter(({ event }) => event === "message")).toEqual([]);
});
