import { afterAll, beforeAll, expect, test } from "bun:test";
import type { EventNamed } from "../support/binary.ts";
import { Capture } from "../support/capture.ts";
import { Village } from "./village.ts";

// Two NATs that pick a random port for each destination: nothing is direct. Aim: data over the relay's UDP 300 ms after the session began.
let village: Village;
beforeAll(async () => void (village = await Village.settle({ a: "symmetric", b: "symmetric" })));
afterAll(() => village[Symbol.asyncDispose]());

const overUdp = ({ kind }: EventNamed<"path">) => kind === "relay-udp";
const overTcp = ({ kind }: EventNamed<"path">) => kind === "relay-ws";

async function bothOverUdp(run: (village: Village) => Promise<void>): Promise<void> {
  const { ana, ben } = village;
  await using receiver = await ben.receiving("--yes");
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await Promise.all([chat, receiver].map((each) => each.waitFor("path", overUdp)));
  await run(village);
  chat.endInput("the end\n");
  expect(await chat.finished()).toMatchObject({ exitCode: 0 });
  expect(await receiver.waitFor("message")).toMatchObject({ text: "the end" });
}

test("what begins over the server's TCP goes on over its UDP, where no direct path is", async () => {
  await bothOverUdp(() => Promise.resolve());
});

test("a file goes over the relay's UDP, through an outage of it and back, and arrives whole", async () => {
  const { ana, ben, lab } = village;
  const file = await village.file(40 * 2 ** 20);
  await using receiver = await ben.receiving("--yes", "--once");
  await lab.rate("a", 40);
  await using send = ana.startWith({}, "send", file.path, "@ben");
  await send.waitFor("path", overUdp);
  await send.waitFor("progress", ({ bytes }) => bytes > 2 * 2 ** 20);
  await lab.block("a", "server-udp");
  await send.waitFor("path", overTcp);
  await lab.unblock("a");
  await send.waitFor("path", overUdp);
  expect(await send.finished(60_000)).toMatchObject({ exitCode: 0 });
  expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  expect(await file.hasArrived()).toBe(true);
  await lab.reset("a");
}, 90_000);

test("bad input 107: a NAT that forgets its mappings costs a moment on TCP, and the leg is bound again", async () => {
  await bothOverUdp(({ lab }) => lab.rebind("a", "port"));
});

test("with --relay-only the relay's UDP is used, and shows neither end where the other is", async () => {
  const { ana, ben, lab } = village;
  await using between = await Capture.start(`udp and not host ${lab.serverIp}`, lab.inside("core"));
  await using receiver = await ben.receiving("--yes", "--relay-only");
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben", "--relay-only");
  await Promise.all([chat, receiver].map((each) => each.waitFor("path", overUdp)));
  chat.endInput("hello\n");
  expect(await chat.finished()).toMatchObject({ exitCode: 0 });
  const shown = [...chat.events, ...receiver.events].flatMap((event) => (event.event === "path" ? [event.remote] : []));
  expect(new Set(shown)).toEqual(new Set([`${lab.serverIp}:7420`]));
  expect(await between.stop()).toEqual([]);
});

test("with --direct-only nothing is asked of the relay", async () => {
  const { ana, ben } = village;
  await using receiver = await ben.receiving();
  const { exitCode, events } = await ana.run("msg", "ben", "not over the server", "--direct-only");
  expect([exitCode, events.some((event) => event.event === "path" && event.kind === "relay-udp")]).toEqual([7, false]);
  await receiver.waitFor("closed");
  expect(receiver.events.filter(({ event }) => event === "message")).toEqual([]);
}, 30_000);
