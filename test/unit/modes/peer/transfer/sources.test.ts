import { expect, test } from "bun:test";
import { appendFile, chmod, lstat, mkdir, rename, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { readdirSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBlocks } from "../../../../../src/modes/peer/transfer/block-source.ts";
import { prepare } from "../../../../../src/modes/peer/transfer/prepare.ts";
import { leafHash } from "../../../../../src/wire/tree/block-tree.ts";
import { sessionPair } from "../../../../support/session-pair.ts";
import { party, patterned, stage } from "./stage.ts";

const MIB = 1_048_576;

test("prepare() finds a missing file before anything else happens", async () => {
  await using here = await stage();
  await expect(prepare([await here.file("a", "x"), join(here.root, "missing")])).rejects.toMatchObject({
    code: "file-not-found",
    side: "local",
  });
  await expect(prepare([join(await here.file("b", "x"), "c")])).rejects.toMatchObject({ code: "file-not-found" });
});

test("prepare() refuses a folder as a mistake on the command line", async () => {
  await using here = await stage();
  await expect(prepare([here.out])).rejects.toMatchObject({ code: "usage", hint: "name the files in it" });
});

const made = (path: string) => {
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  return path;
};
const notFiles: ReadonlyArray<readonly [string, (root: string) => string]> = [
  ["a FIFO", (root) => made(join(root, "fifo"))],
  ["an endless device", () => "/dev/zero"],
  ["a file that the system makes up", () => "/proc/self/status"],
  ["memory that cannot be read at 0", () => "/proc/self/mem"],
];

test.skipIf(process.platform !== "linux").each(notFiles)("bad input 162: prepare() refuses %s", async (_what, make) => {
  await using here = await stage();
  await expect(prepare([make(here.root)])).rejects.toMatchObject({ code: "file-unreadable", side: "local" });
});

test.skipIf(process.platform !== "linux").each(notFiles.slice(0, 3))(
  "bad input 162: prepare() says that %s is to be piped",
  async (_what, make) => {
    await using here = await stage();
    const hint = "pipe it: `… | p2p send - --as NAME @NAME`";
    await expect(prepare([make(here.root)])).rejects.toMatchObject({ hint });
  },
);

// What root may not read either is above.
test.skipIf(process.getuid?.() === 0)(
  "bad input 162: prepare() refuses a file without the right to read it: root may read everything",
  async () => {
    await using here = await stage();
    const path = await here.file("a", "x");
    await chmod(path, 0);
    await expect(prepare([path])).rejects.toMatchObject({ code: "file-unreadable" });
  },
);

test("bad input 163: a link that the person names is followed, and offered under its own name", async () => {
  await using here = await stage();
  const link = join(here.root, "link.txt");
  await symlink(await here.file("secret", "12345"), link);
  await using shipment = await prepare([link]);
  expect(shipment.files).toMatchObject([{ name: "link.txt", bytes: 5 }]);
});

test("prepare() offers a name that is longer than the wire takes cut, not refused", async () => {
  async function* stdin() {
    yield new Uint8Array([1]);
  }
  await using shipment = await prepare(["-"], { name: "é".repeat(200), stream: stdin() });
  expect(shipment.files[0]?.name).toBe("é".repeat(127));
});

test("prepare() keeps stdin in a private file under the name given, and leaves none behind", async () => {
  await using here = await stage();
  async function* stdin() {
    yield new Uint8Array([1, 2]);
    yield patterned(MIB);
  }
  const shipment = await prepare(["-", await here.file("a", "x")], { name: "dump.sql", stream: stdin() });
  const [spooled] = shipment.files;
  expect(spooled).toMatchObject({ name: "dump.sql", bytes: MIB + 2 });
  expect((await lstat(spooled?.path ?? "")).mode & 0o777).toBe(0o600);
  const { a, b } = sessionPair();
  const ana = await party(a, here.root);
  await party(b, here.out);
  await ana.transfers.send(shipment);
  expect((await here.received())["dump.sql"]).toEqual(Uint8Array.from([1, 2, ...patterned(MIB)]));
  await shipment[Symbol.asyncDispose]();
  await expect(lstat(spooled?.path ?? "")).rejects.toMatchObject({ code: "ENOENT" });
});

test("prepare() leaves no private file behind when another file is missing", async () => {
  async function* stdin() {
    yield new Uint8Array([1]);
  }
  await using here = await stage();
  const before = new Bun.Glob("p2p-spool-*").scanSync({ cwd: tmpdir(), onlyFiles: false });
  const names = new Set(before);
  await expect(prepare(["-", join(here.root, "missing")], { name: "x", stream: stdin() })).rejects.toMatchObject({
    code: "file-not-found",
  });
  const after = [...new Bun.Glob("p2p-spool-*").scanSync({ cwd: tmpdir(), onlyFiles: false })];
  expect(after.filter((name) => !names.has(name))).toEqual([]);
});

test("prepare() wants a name for stdin, once", async () => {
  async function* stdin() {
    yield new Uint8Array([1]);
  }
  await expect(prepare(["-"])).rejects.toMatchObject({ code: "usage" });
  await expect(prepare(["-", "-"], { name: "x", stream: stdin() })).rejects.toMatchObject({ code: "usage" });
});

type Change = (path: string) => Promise<void>;
/** The old one stays somewhere, so that its number is not given to the new one. */
function replaced(make: (path: string) => unknown): Change {
  return async (path) => {
    await rename(path, `${path}.old`);
    await make(path);
  };
}
const beforeOpen: ReadonlyArray<readonly [string, Change]> = [
  ["grew", (path) => appendFile(path, "y")],
  ["shrank", (path) => truncate(path, 1)],
  ["vanished", (path) => rm(path)],
  ["was touched", (path) => utimes(path, 1, 1)],
  ["became a FIFO", replaced((path) => void made(path))],
  ["became a folder", replaced((path) => mkdir(path))],
  ["was replaced by another of the same size", replaced((path) => writeFile(path, "xx"))],
];

test.each(beforeOpen)(
  "bad input 162: a file that %s after the offer fails the sending at both ends",
  async (_what, change) => {
    await using here = await stage();
    const { a, b } = sessionPair();
    const ana = await party(a, here.root);
    const path = await here.file("a", "xx");
    const ben = await party(b, here.out, { decide: async () => (await change(path), "accept") });
    await using shipment = await prepare([path]);
    await expect(ana.transfers.send(shipment)).rejects.toMatchObject({ code: "file-changed", side: "local" });
    expect((await ben.ended(1))[0]?.error).toMatchObject({ code: "file-changed", side: "remote" });
    expect(await here.received()).toEqual({});
  },
);

const whileRead: ReadonlyArray<readonly [string, Change]> = [
  ["grows", (path) => appendFile(path, "y")],
  ["shrinks", (path) => truncate(path, MIB + 1)],
  ["is written to in place", (path) => writeFile(path, patterned(4 * MIB, 9))],
];

test.each(whileRead)(
  "bad input 162: readBlocks() of a file that %s while it is read ends with `file-changed`",
  async (_what, change) => {
    await using here = await stage();
    const path = await here.file("a", patterned(4 * MIB));
    await using shipment = await prepare([path]);
    const [file] = shipment.files;
    if (file === undefined) throw new RangeError("nothing was prepared");
    const reading = async () => {
      for await (const { bytes } of readBlocks(file)) if (bytes[0] === patterned(1)[0]) await change(path);
    };
    await expect(reading()).rejects.toMatchObject({ code: "file-changed" });
  },
);

test("readBlocks() gives full blocks with their leaves and a shorter last one, and nothing for an empty file", async () => {
  await using here = await stage();
  for (const [length, sizes] of [
    [0, []],
    [1, [1]],
    [MIB, [MIB]],
    [2 * MIB + 3, [MIB, MIB, 3]],
    [5 * MIB + 65_536, [MIB, MIB, MIB, MIB, MIB, 65_536]],
  ] as const) {
    const contents = patterned(length);
    await using shipment = await prepare([await here.file(`${length}`, contents)]);
    const blocks: Uint8Array[] = [];
    for (const file of shipment.files)
      for await (const { bytes, hash } of readBlocks(file)) {
        expect(hash).toEqual(leafHash(bytes));
        blocks.push(bytes.slice());
      }
    expect(blocks.map(({ length }) => length)).toEqual([...sizes]);
    expect(Buffer.concat(blocks)).toEqual(Buffer.from(contents));
  }
});

test.skipIf(process.platform !== "linux")("readBlocks() that is left early closes the file", async () => {
  await using here = await stage();
  const path = await here.file("a", patterned(8 * MIB));
  await using shipment = await prepare([path]);
  for (const file of shipment.files)
    for await (const { bytes } of readBlocks(file)) {
      expect(bytes).toHaveLength(MIB);
      break;
    }
  const open = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return null; // the one that lists them
    }
  });
  expect(open).not.toContain(path);
});
