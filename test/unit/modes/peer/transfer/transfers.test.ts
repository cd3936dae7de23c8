import { expect, test } from "bun:test";
import { chmod, lstat, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import { prepare } from "../../../../../src/modes/peer/transfer/prepare.ts";
import { Transfers } from "../../../../../src/modes/peer/transfer/transfers.ts";
import { toHex } from "../../../../../src/wire/bytes.ts";
import { leafHash, RootBuilder } from "../../../../../src/wire/tree/block-tree.ts";
import { sessionPair } from "../../../../support/session-pair.ts";
import { party, patterned, stage } from "./stage.ts";

const MIB = 1_048_576;

function rootOf(contents: Uint8Array): string {
  const tree = new RootBuilder();
  for (let at = 0; at < contents.length; at += MIB) tree.add(leafHash(contents.subarray(at, at + MIB)));
  return toHex(tree.root());
}

test("three files arrive byte for byte, and both ends tell it in the order of the contract", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const ben = await party(b, here.out);
  const contents = {
    "large.bin": patterned(3 * MIB + 17),
    "empty.txt": new Uint8Array(0),
    "exact.bin": patterned(MIB, 2),
  };
  const paths: string[] = [];
  for (const [name, bytes] of Object.entries(contents)) paths.push(await here.file(name, bytes));
  await using shipment = await prepare(paths);
  await ana.transfers.send(shipment);
  await ben.ended(1);

  expect(await here.received()).toEqual(contents);
  const steps = (events: readonly { readonly event: string }[]) =>
    events.map(({ event }) => event).filter((event) => event !== "progress");
  expect(steps(ana.events)).toEqual(["offer", "accepted", "sent"]);
  expect(steps(ben.events)).toEqual(["offer", "accepted", "saved", "saved", "saved", "received"]);
  const ids = new Set([...ana.events, ...ben.events].map(({ id }) => id));
  expect(ids.size).toBe(1);
  expect([...ids][0]).toMatch(/^[0-9a-f]{32}$/);
  const bytes = 4 * MIB + 17;
  const files = Object.entries(contents).map(([name, { length }]) => ({ name, bytes: length }));
  expect(ana.events[0]).toMatchObject({ peer: "ben", session: a.id, to: "ben", count: 3, bytes, files });
  expect(ben.events[0]).toMatchObject({ peer: "ana", session: b.id, from: "ana", count: 3, bytes, files });
  // To the millisecond, before a matcher touches them.
  for (const last of [ana.events.at(-1), ben.events.at(-1)])
    expect(JSON.stringify(last)).toMatch(/"seconds":\d+(?:\.\d{1,3})?[,}]/);
  expect(ana.events.at(-1)).toMatchObject({ event: "sent", bytes, seconds: expect.any(Number) });
  expect(ben.events.at(-1)).toMatchObject({ event: "received", bytes, seconds: expect.any(Number) });
  for (const [name, file] of Object.entries(contents))
    expect(ben.events).toContainEqual(
      expect.objectContaining({
        event: "saved",
        name,
        path: join(here.out, name),
        bytes: file.length,
        hash: rootOf(file),
      }),
    );
  expect(ben.ends).toEqual([{ id: [...ids][0] ?? "", from: "ana", error: null }]);
});

test("bytes arrive whole when credit is scarce and pieces are odd", async () => {
  await using here = await stage();
  const { a, b } = sessionPair({ streamWindowBytes: 2_400_000, sessionWindowBytes: 2_400_000, pieceBytes: 1_171 });
  const ana = await party(a, here.root);
  await party(b, here.out);
  const contents = patterned(5 * MIB + 1);
  await using shipment = await prepare([await here.file("a.bin", contents)]);
  await ana.transfers.send(shipment);
  expect((await here.received())["a.bin"]).toEqual(contents);
});

test("both ends send at once, several files each, over one session", async () => {
  await using here = await stage();
  const other = join(here.root, "other");
  const { a, b } = sessionPair();
  const ana = await party(a, other);
  const ben = await party(b, here.out);
  await using first = await prepare([await here.file("a", patterned(2 * MIB))]);
  await using second = await prepare([await here.file("b", patterned(2 * MIB, 2))]);
  await Promise.all([ana.transfers.send(first), ben.transfers.send(second), ana.transfers.send(second)]);
  expect(Object.keys(await here.received()).sort()).toEqual(["a", "b"]);
  expect(await readdir(other)).toEqual(["b"]);
});

test("a saved file has the mode of the person's other files, and none of it is left hidden", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  await party(b, here.out);
  const path = await here.file("run.sh", "#!/bin/sh\n");
  await chmod(path, 0o777);
  await using shipment = await prepare([path]);
  await ana.transfers.send(shipment);
  const { mode } = await lstat(join(here.out, "run.sh"));
  expect(mode & 0o7777).toBe(0o666 & ~process.umask());
  expect(await readdir(here.out)).toEqual(["run.sh"]);
});

test("while it grows, a file is hidden beside its final place and nobody else's to read", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const seen: Array<readonly [string, number]> = [];
  const ben = await party(b, here.out);
  await using shipment = await prepare([await here.file("a.bin", patterned(9 * MIB))]);
  const sending = ana.transfers.send(shipment);
  for (let tries = 0; seen.length === 0 && tries < 10_000; tries++) {
    for (const name of await readdir(here.out))
      if (name.endsWith(".part")) seen.push([name, (await lstat(join(here.out, name))).mode & 0o777]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sending;
  expect(seen).toEqual([[`.${ben.events[0]?.id}-0.part`, 0o600]]);
});

test("whoever declines moves no byte, and the sender hears `declined`", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const ben = await party(b, here.out, { decide: async () => "decline" });
  await using shipment = await prepare([await here.file("a", "x")]);
  await expect(ana.transfers.send(shipment)).rejects.toMatchObject({ code: "declined", side: "remote" });
  expect((await ben.ended(1))[0]?.error).toMatchObject({ code: "declined", side: "local" });
  expect(await here.received()).toEqual({});
  expect(ana.events.map(({ event }) => event)).toEqual(["offer"]);
});

test("whoever takes no files says so at once", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const ben = new Transfers(b, { onEvent: () => undefined, inbox: null, random: (length) => new Uint8Array(length) });
  await using shipment = await prepare([await here.file("a", "x")]);
  await expect(ana.transfers.send(shipment)).rejects.toMatchObject({ code: "no-answer", side: "remote" });
  await ben.idle();
});

test("an offer larger than --max-bytes is declined as too large, without a question", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  let asked = 0;
  const decide = async () => ((asked += 1), "accept" as const);
  const ben = await party(b, here.out, { maxBytes: 10, decide });
  await using shipment = await prepare([await here.file("a", "12345678901")]);
  await expect(ana.transfers.send(shipment)).rejects.toMatchObject({ code: "too-large", side: "remote" });
  expect((await ben.ended(1))[0]?.error).toMatchObject({ code: "too-large", side: "local" });
  expect(asked).toBe(0);
  await using small = await prepare([await here.file("b", "1234567890")]);
  await ana.transfers.send(small);
  expect(asked).toBe(1);
});

test("--conflict skip leaves out what is there and takes the rest; the sender counts only that", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  await writeFile(join(here.out, "There.txt"), "old");
  const ana = await party(a, here.root);
  const ben = await party(b, here.out, { conflict: "skip" });
  await using shipment = await prepare([await here.file("there.txt", "new"), await here.file("other.txt", "rest")]);
  await ana.transfers.send(shipment);
  expect(await here.received()).toEqual({ "There.txt": Buffer.from("old"), "other.txt": Buffer.from("rest") });
  expect(ana.events.at(-1)).toMatchObject({ event: "sent", bytes: 4 });
  expect(ben.events.at(-1)).toMatchObject({ event: "received", bytes: 4 });
});

test("--conflict refuse declines the whole offer for one name that is there", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  await writeFile(join(here.out, "b"), "old");
  const ana = await party(a, here.root);
  await party(b, here.out, { conflict: "refuse" });
  await using shipment = await prepare([await here.file("a", "1"), await here.file("b", "2")]);
  await expect(ana.transfers.send(shipment)).rejects.toMatchObject({ code: "declined" });
  expect(Object.keys(await here.received())).toEqual(["b"]);
});

test("bad input 150: files equal after case folding or composition are numbered, also those of one offer", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  await mkdir(join(here.out, "readme.TXT"));
  const ana = await party(a, here.root);
  const ben = await party(b, here.out);
  const names = ["README.txt", "e\u0301.txt", "É.txt"];
  const paths: string[] = [];
  for (const name of names) paths.push(await here.file(name, name));
  await using shipment = await prepare(paths);
  await ana.transfers.send(shipment);
  expect(Object.keys(await here.received()).sort()).toEqual(["README (2).txt", "readme.TXT", "É (2).txt", "é.txt"]);
  expect(ben.events.flatMap((event) => (event.event === "saved" ? [event.name] : []))).toEqual(names);
});

test("bad input 151: nothing that stands under the name is opened or replaced, whatever it is", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const outside = join(here.root, "outside");
  await writeFile(join(here.out, "file"), "old", { mode: 0o400 });
  await mkdir(join(here.out, "folder"));
  await symlink(outside, join(here.out, "dangling"));
  await symlink(join(here.out, "file"), join(here.out, "linked"));
  expect(Bun.spawnSync(["mkfifo", join(here.out, "fifo")]).exitCode).toBe(0);
  const names = ["file", "folder", "dangling", "linked", "fifo"];
  const paths: string[] = [];
  for (const name of names) paths.push(await here.file(name, "new"));
  const ana = await party(a, here.root);
  await party(b, here.out);
  await using shipment = await prepare(paths);
  await ana.transfers.send(shipment);
  const received = await here.received();
  expect(received["file"]).toEqual(Buffer.from("old"));
  for (const name of names) expect(received[`${name} (2)`]).toEqual(Buffer.from("new"));
  expect(await readdir(here.root)).not.toContain("outside");
});

test("bad input 164: progress comes from what was moved here, at most four times a second", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const ben = await party(b, here.out);
  await using shipment = await prepare([await here.file("a.bin", patterned(24 * MIB))]);
  const startedAtMs = performance.now();
  await ana.transfers.send(shipment);
  const quarters = Math.floor((performance.now() - startedAtMs) / 250);
  for (const { events } of [ana, ben]) {
    const reports = events.filter((event) => event.event === "progress");
    expect(reports.length).toBeLessThanOrEqual(quarters);
    for (const { bytes, total } of reports) expect(bytes).toBeLessThanOrEqual(total);
  }
});

test("bad input 165: an archive is saved as it is", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  await party(b, here.out);
  const bomb = Bun.gzipSync(new Uint8Array(20 * MIB));
  await using shipment = await prepare([await here.file("bomb.tar.gz", bomb)]);
  await ana.transfers.send(shipment);
  expect(await here.received()).toEqual({ "bomb.tar.gz": bomb });
});

test("bad input 166: of two transfers to one name finishing together each keeps its bytes, one gets a number", async () => {
  await using here = await stage();
  const [one, two] = [sessionPair(), sessionPair({ names: ["eve", "ben"] })];
  const [ana, eve] = [await party(one.a, here.root), await party(two.a, here.root)];
  const [first, second] = [await party(one.b, here.out), await party(two.b, here.out)];
  const path = await here.file("same.bin", patterned(MIB));
  await using shipmentOfAna = await prepare([path]);
  await using shipmentOfEve = await prepare([path]);
  await Promise.all([ana.transfers.send(shipmentOfAna), eve.transfers.send(shipmentOfEve)]);
  await Promise.all([first.ended(1), second.ended(1)]);
  expect(await here.received()).toEqual({ "same.bin": patterned(MIB), "same (2).bin": patterned(MIB) });
});

test("a person who cancels while it runs ends it at both ends and leaves no partial file", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const ben = await party(b, here.out);
  await using shipment = await prepare([await here.file("a.bin", patterned(30 * MIB))]);
  const controller = new AbortController();
  const sending = ana.transfers.send(shipment, controller.signal);
  const reason = new UserError("interrupted", "stopped");
  setImmediate(function poll() {
    if (ben.events.some(({ event }) => event === "accepted")) controller.abort(reason);
    else setImmediate(poll);
  });
  await expect(sending).rejects.toBe(reason);
  expect((await ben.ended(1))[0]?.error).toMatchObject({ code: "cancelled", side: "remote" });
  expect(await here.received()).toEqual({});
});

test("a receiver that ends tells the sender, answers no question any more and leaves no partial file", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const asked = Promise.withResolvers<AbortSignal>();
  const ben = await party(b, here.out, {
    decide: (_offer, signal) => {
      asked.resolve(signal);
      return new Promise(() => undefined);
    },
  });
  await using shipment = await prepare([await here.file("a.bin", "x")]);
  const sending = ana.transfers.send(shipment);
  sending.catch(() => undefined);
  const signal = await asked.promise;
  await ben.transfers.cancel(new UserError("terminated", "stopped"));
  expect(signal.aborted).toBe(true);
  await expect(sending).rejects.toMatchObject({ code: "cancelled", side: "remote" });
  expect(ben.ends[0]?.error).toMatchObject({ code: "terminated" });
});

test("a session that breaks off ends the transfer at both ends and leaves no partial file", async () => {
  await using here = await stage();
  const pair = sessionPair();
  const ana = await party(pair.a, here.root);
  const ben = await party(pair.b, here.out);
  await using shipment = await prepare([await here.file("a.bin", patterned(30 * MIB))]);
  const sending = ana.transfers.send(shipment);
  sending.catch(() => undefined);
  setImmediate(function poll() {
    if (ben.events.some(({ event }) => event === "accepted")) pair.cut();
    else setImmediate(poll);
  });
  await expect(sending).rejects.toMatchObject({ code: "peer-gone" });
  expect((await ben.ended(1))[0]?.error).toMatchObject({ code: "peer-gone" });
  expect(await here.received()).toEqual({});
});

test("idle() waits for what is under way", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  const ben = await party(b, here.out);
  await using shipment = await prepare([await here.file("a.bin", patterned(2 * MIB))]);
  const sending = ana.transfers.send(shipment);
  await ana.transfers.idle();
  expect(ana.events.at(-1)?.event).toBe("sent");
  await sending;
  await ben.transfers.idle();
  expect(ben.ends.length).toBe(1);
});
