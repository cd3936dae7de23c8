import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { P2p } from "../support/binary.ts";
import { DIRECT_WITHIN_MS, Village } from "./village.ts";

let village: Village;
beforeAll(async () => void (village = await Village.settle({ a: "cone", b: "cone" })));
afterEach(() => village.lab.reset("b"));
afterAll(() => village[Symbol.asyncDispose]());

/** Heads of IPv4 and UDP. */
const HEADS_BYTES = 28;

/** The packets of the direct path, as `--verbose` told of them last. */
function lengthOf(program: P2p): number | null {
  const told = program.events.flatMap((event) => (event.event === "stats" && event.path === "direct" ? [event] : []));
  return told.at(-1)?.mtuBytes ?? null;
}

for (const [mtu, least] of [
  [1_500, 1_472],
  [1_280, 1_215],
  [1_228, 1_200],
] as const)
  test(`bad input 126: over a link of ${mtu} bytes a file goes directly, in packets that fit it`, async () => {
    const { ana, ben, lab } = village;
    await lab.mtu("b", mtu);
    // Slow enough to be there when the length has been found.
    await lab.rate("b", 40);
    const file = await village.file(12 * 2 ** 20);
    await using receiver = await ben.receiving("--yes", "--once");
    await using send = ana.start("send", "--verbose", file.path, "@ben");
    await send.waitFor("path", ({ kind }) => kind === "direct", DIRECT_WITHIN_MS);
    expect(await send.finished()).toMatchObject({ exitCode: 0 });
    expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
    expect(await file.hasArrived()).toBe(true);
    expect(send.events.flatMap((event) => (event.event === "path" ? [event.kind] : []))).not.toContain("relay-ws");
    expect(lengthOf(send)).toBeGreaterThanOrEqual(least);
    expect(lengthOf(send)).toBeLessThanOrEqual(mtu - HEADS_BYTES);
  });

test("bad input 126: over a link of 600 bytes a file goes over the server, and --direct-only says that there is no path", async () => {
  const { ana, ben, lab } = village;
  await lab.mtu("b", 600);
  const file = await village.file(2 ** 20);
  await using receiver = await ben.receiving("--yes");
  const sent = await ana.run("send", file.path, "@ben");
  expect(sent).toMatchObject({ exitCode: 0 });
  expect(await file.hasArrived()).toBe(true);
  for (const event of sent.events) if (event.event === "path") expect(event.kind).toBe("relay-ws");
  const { exitCode, events } = await ana.run("msg", "ben", "hello", "--direct-only");
  expect(exitCode).toBe(7);
  expect(events.at(-1)).toMatchObject({ event: "error", code: "no-path", fatal: true });
  receiver.signal("SIGTERM");
});

test("bad input 126: a link that swallows long packets in mid-file, without a word, costs no path", async () => {
  const { ana, ben, lab } = village;
  await lab.rate("b", 40);
  const file = await village.file(24 * 2 ** 20);
  await using receiver = await ben.receiving("--yes", "--once");
  await using send = ana.start("send", "--verbose", file.path, "@ben");
  await send.waitFor("stats", ({ path, mtuBytes }) => path === "direct" && mtuBytes === 1_472, DIRECT_WITHIN_MS);
  await lab.mtu("b", 1_280, true);
  expect(receiver.events.some(({ event }) => event === "saved")).toBe(false);
  expect(await send.finished()).toMatchObject({ exitCode: 0 });
  expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  expect(await file.hasArrived()).toBe(true);
  expect(lengthOf(send)).toBeLessThanOrEqual(1_252);
  expect(send.events.flatMap((event) => (event.event === "path" ? [event.kind] : []))).not.toContain("relay-ws");
});

test("a card that takes only shorter packets from mid-file on costs no path", async () => {
  const { ana, ben, lab } = village;
  await lab.rate("b", 40);
  const file = await village.file(16 * 2 ** 20);
  const { stdout } = await lab.exec("a", "ip", "-o", "route", "get", lab.serverIp);
  const card = / dev (\S+)/.exec(stdout)?.[1] ?? "";
  await using receiver = await ben.receiving("--yes", "--once");
  await using send = ana.start("send", "--verbose", file.path, "@ben");
  await send.waitFor("stats", ({ path, mtuBytes }) => path === "direct" && mtuBytes === 1_472, DIRECT_WITHIN_MS);
  expect(await lab.exec("a", "ip", "link", "set", "dev", card, "mtu", "1300")).toMatchObject({ exitCode: 0 });
  expect(receiver.events.some(({ event }) => event === "saved")).toBe(false);
  expect(await send.finished()).toMatchObject({ exitCode: 0 });
  expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  await lab.exec("a", "ip", "link", "set", "dev", card, "mtu", "1500");
  expect(await file.hasArrived()).toBe(true);
  expect(lengthOf(send)).toBeLessThanOrEqual(1_272);
  expect(send.events.flatMap((event) => (event.event === "path" ? [event.kind] : []))).not.toContain("relay-ws");
});
