import { afterAll, expect, test } from "bun:test";
import {
  appendFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localName } from "../../../../../src/modes/peer/transfer/local-name.ts";
import { PartialFile } from "../../../../../src/modes/peer/transfer/partial-file.ts";
import { prepare } from "../../../../../src/modes/peer/transfer/prepare.ts";
import { publish } from "../../../../../src/modes/peer/transfer/publish.ts";
import { ReceivingFolder } from "../../../../../src/modes/peer/transfer/receiving-folder.ts";
import { sessionPair } from "../../../../support/session-pair.ts";
import { fileMessages, offerOf, party, patterned, rawPeer, stage } from "./stage.ts";

const MIB = 1_048_576;
const id = "ab".repeat(16);

test("ReceivingFolder.open() makes what is missing and stands at the real place from then on", async () => {
  await using here = await stage();
  const link = join(here.root, "link");
  await symlink(here.out, link);
  const folder = await ReceivingFolder.open(join(link, "a", "b"));
  expect(folder.path).toBe(join(here.out, "a", "b"));
  await folder.check();
});

test("ReceivingFolder.open() refuses a place that is no folder", async () => {
  await using here = await stage();
  const path = await here.file("a", "x");
  await expect(ReceivingFolder.open(path)).rejects.toMatchObject({ code: "not-writable", side: "local" });
  await expect(ReceivingFolder.open(join(path, "b"))).rejects.toMatchObject({ code: "not-writable" });
});

test("bad input 152: a folder that became a link, or has one on the way to it, is not written in", async () => {
  for (const moved of ["out", "out/deep"]) {
    await using here = await stage();
    await mkdir(join(here.out, "deep"));
    const folder = await ReceivingFolder.open(join(here.out, "deep"));
    const elsewhere = join(here.root, "elsewhere");
    await rename(join(here.root, moved), elsewhere);
    await symlink(elsewhere, join(here.root, moved));
    await expect(PartialFile.create(folder, id, 0, 1)).rejects.toMatchObject({ code: "not-writable" });
    expect((await readdir(elsewhere, { recursive: true })).filter((name) => name.endsWith(".part"))).toEqual([]);
  }
});

test("a folder that is replaced just when a file is made in it keeps nothing of ours, and no open file", async () => {
  await using here = await stage();
  const folder = await ReceivingFolder.open(here.out);
  const check = folder.check.bind(folder);
  let checks = 0;
  folder.check = async () => {
    if (++checks === 2) throw new Error("replaced");
    return check();
  };
  await expect(PartialFile.create(folder, id, 0, 1)).rejects.toThrow("replaced");
  expect(await readdir(here.out)).toEqual([]);
  const open = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  expect((await Promise.all(open)).filter((path) => path.startsWith(here.out))).toEqual([]);
});

type Change = (out: string, outside: string) => Promise<unknown>;
const swaps: ReadonlyArray<readonly [number, string, Change]> = [
  [
    152,
    "its folder is replaced by a link",
    async (out, outside) => (await rename(out, `${out}2`), symlink(outside, out)),
  ],
  [160, "its folder is removed", (out) => rm(out, { recursive: true })],
  [
    153,
    "the partial file is replaced by a link",
    async (out, outside) => {
      const part = await partOf(out);
      await rm(part);
      await symlink(join(outside, "bait"), part);
    },
  ],
  [
    153,
    "the partial file is replaced by another",
    async (out) => {
      const part = await partOf(out);
      await rm(part);
      await writeFile(part, patterned(2 * MIB, 5));
    },
  ],
  [153, "the partial file is removed", async (out) => rm(await partOf(out))],
  [153, "the partial file is grown", async (out) => appendFile(await partOf(out), "more")],
  [153, "the partial file is cut", async (out) => truncate(await partOf(out), 3)],
];

async function partOf(out: string): Promise<string> {
  const part = (await readdir(out)).find((name) => name.endsWith(".part"));
  if (part === undefined) throw new RangeError("there is no partial file");
  return join(out, part);
}

test.each(swaps)(
  "bad input %d: %s while it grows: the transfer fails, nothing is published, nothing outside is touched",
  async (_number, _what, change) => {
    await using here = await stage();
    const outside = join(here.root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "bait"), "bait");
    const { a, b } = sessionPair();
    const sender = rawPeer(a);
    const ben = await party(b, here.out);
    const transfer = new Uint8Array(16).fill(1);
    const { offer, pages } = offerOf(transfer, [["a.bin", 2 * MIB]]);
    await sender.say(offer);
    await sender.stream(...pages).finish();
    expect((await sender.heard()).kind).toBe("accept");
    const [head, block, ...rest] = fileMessages(0, patterned(2 * MIB));
    const data = sender.stream({ kind: "dataOf", transfer }, ...[head, block].flatMap((part) => part ?? []));
    while ((await readdir(here.out)).length === 0) await new Promise((resolve) => setImmediate(resolve));
    // Both blocks are on the disk before it changes; only the end is missing.
    await data.put(...rest.slice(0, 2));
    while ((await lstat(await partOf(here.out))).size < 2 * MIB) await new Promise((resolve) => setImmediate(resolve));
    await change(here.out, outside);
    await data.put(...rest.slice(2));
    expect((await ben.ended(1))[0]?.error).toMatchObject({ code: "not-writable", side: "local" });
    expect(await sender.heard()).toEqual({ kind: "cancel", transfer, code: "not-writable" });
    expect(await readdir(outside)).toEqual(["bait"]);
    expect(await readFile(join(outside, "bait"), "utf8")).toBe("bait");
    expect(ben.events.map(({ event }) => event)).not.toContain("saved");
    expect((await readdir(here.root, { recursive: true })).filter((name) => name.endsWith("a.bin"))).toEqual([]);
  },
);

test("bad input 153: a link that waits where the partial file will be is not followed", async () => {
  await using here = await stage();
  const bait = join(here.root, "bait");
  await symlink(bait, join(here.out, `.${id}-0.part`));
  const folder = await ReceivingFolder.open(here.out);
  await expect(PartialFile.create(folder, id, 0, 1)).rejects.toMatchObject({ code: "not-writable" });
  await expect(lstat(bait)).rejects.toMatchObject({ code: "ENOENT" });
});

test("PartialFile.write() refuses to go beyond the announced size", async () => {
  await using here = await stage();
  const partial = await PartialFile.create(await ReceivingFolder.open(here.out), id, 0, 3);
  await partial.write(Uint8Array.of(1, 2, 3), 0);
  await expect(partial.write(Uint8Array.of(4), 3)).rejects.toThrow(RangeError);
  await partial.discard();
  expect(await readdir(here.out)).toEqual([]);
});

test("bad input 150: publish() numbers up to 999 and then refuses", async () => {
  await using here = await stage();
  const [partial, name] = [await here.file("part", "x"), localName("a.txt")];
  const taken = new Set(["a.txt", ...Array.from({ length: 997 }, (_, index) => `a (${index + 2}).txt`)]);
  expect(await publish(partial, here.out, name, taken)).toBe(join(here.out, "a (999).txt"));
  const next = await here.file("next", "x");
  await expect(publish(next, here.out, name, taken)).rejects.toMatchObject({ code: "not-writable" });
  expect(await readdir(here.out)).toEqual(["a (999).txt"]);
});

test("bad input 166: publish() takes the next number when somebody was faster than the list of names", async () => {
  await using here = await stage();
  await writeFile(join(here.out, "a.txt"), "theirs");
  const path = await publish(await here.file("part", "ours"), here.out, localName("a.txt"), new Set());
  expect(path).toBe(join(here.out, "a (2).txt"));
  expect(await readFile(join(here.out, "a.txt"), "utf8")).toBe("theirs");
});

/** Whether this system lets the test do what it needs root, and more than root in a container, for. */
function allows(...trial: readonly string[]): boolean {
  return process.platform === "linux" && Bun.spawnSync(["sh", "-c", trial.join(" && ")]).exitCode === 0;
}

const trial = join(tmpdir(), `p2p-test-trial-${process.pid}`);
const canMount = allows(
  `mkdir ${trial}`,
  `mount -t tmpfs -o size=1m tmpfs ${trial}`,
  `umount ${trial}`,
  `rmdir ${trial}`,
);
const canForbidLinks = allows(`touch ${trial}`, `chattr +a ${trial}`, `chattr -a ${trial}`, `rm ${trial}`);
rmSync(trial, { recursive: true, force: true });
const mounts: string[] = [];

afterAll(() => {
  for (const path of mounts) {
    Bun.spawnSync(["umount", path]);
    rmdirSync(path);
  }
});

/** A small file system in memory, for root on Linux. */
async function smallDisk(megabytes: number): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "p2p-test-disk-"));
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]);
  expect(exitCode).toBe(0);
  mounts.push(path);
  return path;
}

async function fill(path: string, bytes: number): Promise<void> {
  await writeFile(join(path, "other"), new Uint8Array(bytes));
}

// Mounting a file system of a known size takes root.
test.skipIf(!canMount)(
  "bad input 154: an offer that leaves less than 64 MiB free is declined as `disk-full`",
  async () => {
    await using here = await stage();
    const disk = await smallDisk(70);
    const { a, b } = sessionPair();
    const ana = await party(a, here.root);
    await party(b, disk);
    await using large = await prepare([await here.file("large", new Uint8Array(7 * MIB))]);
    await expect(ana.transfers.send(large)).rejects.toMatchObject({ code: "disk-full", side: "remote" });
    await using small = await prepare([await here.file("small", new Uint8Array(5 * MIB))]);
    await ana.transfers.send(small);
    expect(await readdir(disk)).toEqual(["small"]);
  },
);

const breaks: ReadonlyArray<readonly [string, string, (disk: string) => Promise<void>]> = [
  ["fills up", "disk-full", (disk) => fill(disk, 72 * MIB)],
  ["becomes read-only", "not-writable", async (disk) => void Bun.spawnSync(["mount", "-o", "remount,ro", disk])],
];

test.skipIf(!canMount).each(breaks)(
  "bad input 160: a disk that %s after the accept ends the transfer with `%s`, both are told, nothing is left",
  async (_what, code, change) => {
    await using here = await stage();
    const disk = await smallDisk(80);
    const { a, b } = sessionPair();
    const ana = await party(a, here.root);
    const ben = await party(b, disk, { decide: async () => (await change(disk), "accept") });
    await using shipment = await prepare([await here.file("a.bin", patterned(12 * MIB))]);
    await expect(ana.transfers.send(shipment)).rejects.toMatchObject({ code, side: "remote" });
    expect((await ben.ended(1))[0]?.error).toMatchObject({ code, side: "local" });
    expect((await readdir(disk)).filter((name) => name !== "other")).toEqual([]);
  },
);

// An append-only file may not be linked, as any file of a FAT disk; setting it so takes root and a file system that knows it.
test.skipIf(!canForbidLinks)(
  "publish() copies where there are no hard links, and replaces nothing there either",
  async () => {
    await using here = await stage();
    const partial = await here.file("part", "contents");
    await writeFile(join(here.out, "a.txt"), "theirs");
    expect(Bun.spawnSync(["chattr", "+a", partial]).exitCode).toBe(0);
    try {
      const path = await publish(partial, here.out, localName("a.txt"), new Set());
      expect(path).toBe(join(here.out, "a (2).txt"));
      expect(await readFile(path, "utf8")).toBe("contents");
      expect((await lstat(path)).nlink).toBe(1);
      expect(await readFile(join(here.out, "a.txt"), "utf8")).toBe("theirs");
    } finally {
      Bun.spawnSync(["chattr", "-a", partial]);
    }
  },
);
