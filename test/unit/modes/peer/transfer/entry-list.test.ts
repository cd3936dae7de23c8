import { expect, test } from "bun:test";
import { lstat, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { EntryList } from "../../../../../src/modes/peer/transfer/entry-list.ts";
import { pagesOf } from "../../../../../src/modes/peer/transfer/offer.ts";
import { transferBulk, type TransferEntry } from "../../../../../src/wire/messages/transfer.ts";
import { offerOf } from "./stage.ts";

const id = new Uint8Array(16).fill(0xaa);

function entry(name: string, bytes = 1): TransferEntry {
  return { path: [name], kind: "file", bytes };
}

async function spools(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("p2p-spool-"));
}

test("bad input 157: EntryList takes a million entries, keeps them on disk and gives them back in order", async () => {
  const count = 1_000_000;
  const { offer } = offerOf(
    id,
    Array.from({ length: 50 }, () => ["same", 1] as const),
  );
  const before = await spools();
  const list = new EntryList({ ...offer, count, bytes: count });
  const entries = Array.from({ length: 1_000 }, () => entry("same"));
  const message = transferBulk.encode({ kind: "page", first: 0, entries });
  for (let first = 0; first < count; first += 1_000) await list.add({ kind: "page", first, entries }, message);
  list.complete();
  const made = (await spools()).filter((name) => !before.includes(name));
  expect(made.length).toBeGreaterThan(0);
  for (const name of made) expect((await lstat(`${tmpdir()}/${name}`)).mode & 0o777).toBe(0o700);
  let taken = 0;
  for await (const each of list.entries()) {
    if (taken === 0) expect(each).toEqual(entry("same"));
    if ((taken += 1) === 5_000) break;
  }
  expect(taken).toBe(5_000);
  expect([list.bytes, list.first.length]).toEqual([count, 50]);
  await list[Symbol.asyncDispose]();
  const left = await spools();
  expect(made.filter((name) => left.includes(name))).toEqual([]);
});

test("EntryList gives a list that crosses from disk to memory back whole, and again", async () => {
  const names = Array.from({ length: 9_000 }, (_, index) => `${index}-${"x".repeat(200)}`);
  const entries = names.map((name) => entry(name));
  const { offer } = offerOf(
    id,
    names.map((name) => [name, 1] as const),
  );
  await using list = new EntryList(offer);
  for (const page of pagesOf(entries)) await list.add(page, transferBulk.encode(page));
  list.complete();
  for (let round = 0; round < 2; round++) {
    const back: string[] = [];
    for await (const { path } of list.entries()) back.push(path.join("/"));
    expect(back).toEqual(names);
  }
});

test("pagesOf() keeps every page within what the wire takes, for the longest names and for the most entries", () => {
  for (const [count, length] of [
    [2_500, 255],
    [2_500, 1],
  ] as const) {
    let next = 0;
    for (const page of pagesOf(
      Array.from({ length: count }, () => entry("x".repeat(length), Number.MAX_SAFE_INTEGER)),
    )) {
      expect(page.first).toBe(next);
      expect(transferBulk.decode(transferBulk.encode(page))).toEqual(page);
      next += page.entries.length;
    }
    expect(next).toBe(count);
  }
});
