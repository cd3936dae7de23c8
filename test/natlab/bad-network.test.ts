import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { Capture } from "../support/capture.ts";
import { DIRECT_WITHIN_MS, Village } from "./village.ts";

let village: Village;
beforeAll(async () => void (village = await Village.settle({ a: "cone", b: "cone" })));
afterEach(async () => {
  for (const side of ["a", "b"] as const) {
    await village.lab.reset(side);
    await village.lab.unblock(side);
  }
});
afterAll(() => village[Symbol.asyncDispose]());

const TEN_PERCENT = 10;

async function loseEachWay(percent: number): Promise<void> {
  for (const side of ["a", "b"] as const) await village.lab.loss(side, percent);
}

test("with 10 % loss each way 20 chat lines arrive once and in order, both ways", async () => {
  const { ana, ben } = village;
  await using anas = await ana.receiving();
  await using bens = await ben.receiving();
  await loseEachWay(TEN_PERCENT);
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const stdin = lines.map((line) => `${line}\n`).join("");
  await using fromAna = ana.startWith({ stdin }, "chat", "ben");
  expect(await fromAna.finished()).toMatchObject({ exitCode: 0 });
  await using fromBen = ben.startWith({ stdin }, "chat", "ana");
  expect(await fromBen.finished()).toMatchObject({ exitCode: 0 });
  for (const { events } of [anas, bens])
    expect(events.flatMap((event) => (event.event === "message" ? [event.text] : []))).toEqual(lines);
});

test("with 10 % loss each way a file of 10 MiB arrives whole", async () => {
  const { ana, ben } = village;
  const file = await village.file(10 * 2 ** 20);
  await using receiver = await ben.receiving("--yes", "--once");
  await loseEachWay(TEN_PERCENT);
  expect(await ana.run("send", file.path, "@ben")).toMatchObject({ exitCode: 0 });
  expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  expect(await file.hasArrived()).toBe(true);
});

for (const what of ["peers", "udp"] as const) {
  test(`a file whose direct path is blocked (${what}) in mid-file finishes over the server`, async () => {
    const { ana, ben, lab } = village;
    const file = await village.file(24 * 2 ** 20);
    await using receiver = await ben.receiving("--yes", "--once");
    await using send = ana.start("send", file.path, "@ben");
    await send.waitFor("path", ({ kind }) => kind === "direct", DIRECT_WITHIN_MS);
    await receiver.waitFor("progress");
    await lab.block("a", what);
    expect(receiver.events.some(({ event }) => event === "saved")).toBe(false);
    await send.waitFor("path", ({ kind }) => kind === "relay-ws");
    expect(await send.finished()).toMatchObject({ exitCode: 0 });
    expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
    expect(await file.hasArrived()).toBe(true);
  });
}

test("with --relay-only no datagram leaves but to the server, none comes, and the other end tries no address", async () => {
  const { ana, ben, lab } = village;
  await using receiver = await ben.receiving();
  const datagrams = async (...flags: readonly string[]) => {
    const toOthers = `udp and not host ${lab.serverIp}`;
    await using atAna = await Capture.start(toOthers, lab.inside("a-router"));
    await using between = await Capture.start(toOthers, lab.inside("core"));
    await using chat = ana.startWith({ stdin: "open" }, "chat", "ben", ...flags);
    if (flags.length === 0) await chat.waitFor("path", ({ kind }) => kind === "direct", DIRECT_WITHIN_MS);
    chat.endInput("hello\n");
    expect(await chat.finished()).toMatchObject({ exitCode: 0 });
    expect(await receiver.waitFor("message")).toMatchObject({ text: "hello" });
    return [(await atAna.stop()).length, (await between.stop()).length];
  };
  expect(await datagrams("--relay-only")).toEqual([0, 0]);
  for (const count of await datagrams()) expect(count).toBeGreaterThan(0);
});
