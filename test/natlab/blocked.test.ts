import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { P2p } from "../support/binary.ts";
import { Capture } from "../support/capture.ts";
import { Community } from "../support/community.ts";
import { randomFile, sha256Of } from "../support/files.ts";
import { Lab, type LabSpec } from "../support/natlab.ts";

const MIB = 2 ** 20;

/** Ana and Ben behind these routers, and a server that listens on 443 too. */
async function settled(spec: LabSpec, ...flags: readonly string[]) {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await Lab.up(spec));
  const listen = ["--listen", "0.0.0.0:443", "--advertise", lab.serverIp];
  const town = await Community.found({
    inside: lab.inside("server"),
    listen: "0.0.0.0:7420",
    flags: [...listen, ...flags],
  });
  stack.use(town);
  const [ana, ben] = [
    await town.register("ana", { inside: lab.inside("a") }),
    await town.register("ben", { inside: lab.inside("b") }),
  ];
  const all = stack.move();
  return { lab, town, ana, ben, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

const networks: readonly (readonly [string, LabSpec, string])[] = [
  ["UDP is swallowed on one side", { a: "udpblocked", b: "cone" }, "7420"],
  ["UDP is refused on one side", { a: "udpblocked,reject", b: "cone" }, "7420"],
  ["both networks pass TCP 80 and 443 alone", { a: "udpblocked443", b: "udpblocked443" }, "443"],
];

test.each(networks)("where %s two people talk at once, and a file arrives whole", async (_where, spec, port) => {
  await using place = await settled(spec);
  const { lab, town, ana, ben } = place;
  await using receiver = await ben.receiving();
  const said = await ana.run("msg", "ben", "hello");
  expect(said.exitCode).toBe(0);
  expect(said.events.find(({ event }) => event === "connected")).toMatchObject({ path: "relay-ws" });
  // Nothing waits for UDP to be given up: that takes 1.5 s, and no path but this one is spoken of before the end.
  for (const { event, ...rest } of said.events)
    if (event === "path") expect(rest).toMatchObject({ kind: "relay-ws", remote: `${lab.serverIp}:${port}` });
  const file = join(town.folder, "file.bin");
  const hash = await randomFile(file, MIB);
  expect((await ana.run("send", file, "@ben")).exitCode).toBe(0);
  await receiver.waitFor("saved");
  expect(await sha256Of(join(ben.inbox, "file.bin"))).toBe(hash);
});

// It takes 30 s until --no-relay gives up: it does so beside the others.
let hard: Awaited<ReturnType<typeof settled>>;
let atBen: P2p;
let unasked: P2p;
beforeAll(async () => {
  hard = await settled({ a: "symmetric", b: "symmetric" }, "--no-relay");
  const carl = await hard.town.register("carl", { inside: hard.lab.inside("a") });
  atBen = await hard.ben.receiving();
  unasked = carl.start("msg", "ben", "for you alone");
});
afterAll(async () => {
  for (const program of [unasked, atBen]) await program[Symbol.asyncDispose]();
  await hard[Symbol.asyncDispose]();
});

test("scenario 44: with --relay-only on either side no datagram goes to the other, and no candidate is told", async () => {
  await using place = await settled({ a: "none", b: "none" });
  const { lab, ana, ben } = place;
  const between = `udp and not host ${lab.serverIp}`;
  for (const [here, there] of [
    [["--relay-only"], []],
    [[], ["--relay-only"]],
    [["--relay-only"], ["--relay-only"]],
  ] as const) {
    await using capture = await Capture.start(between, lab.inside("core"));
    await using receiver = await ben.receiving("--yes", ...there);
    await using chat = ana.startWith({ stdin: "open" }, "chat", "ben", ...here);
    await chat.waitFor("connected");
    await Bun.sleep(1_500); // in which an open network would be direct long since
    chat.endInput("hello\n");
    expect((await chat.finished()).exitCode).toBe(0);
    expect(await receiver.waitFor("message")).toMatchObject({ text: "hello" });
    expect(await capture.stop()).toEqual([]);
  }
});

test("where no direct path comes, --direct-only and --no-relay end with 7 and have carried no word", async () => {
  const asked = hard.ana.run("msg", "ben", "for you alone", "--direct-only");
  const [here, there] = await Promise.all([asked, unasked.finished(60_000)]);
  for (const { exitCode, events } of [here, there]) {
    expect([exitCode, events.at(-1)]).toMatchObject([7, { code: "no-path", fatal: true }]);
    for (const each of ["posted", "delivered"]) expect(events.some(({ event }) => event === each)).toBe(false);
  }
  expect(here.events.at(-1)).toMatchObject({ message: "no direct path to ben in 10 s" });
  const message = "no direct path to ben in 30 s, and this server does not relay";
  expect(there.events.at(-1)).toMatchObject({ message });
  expect(atBen.events.filter(({ event }) => event === "message")).toEqual([]);
});
