import { expect, test } from "bun:test";
import { packValue, type Value } from "../../../../../src/wire/codec/msgpack.ts";
import { concat } from "../../../../../src/wire/bytes.ts";
import { type TransferBulk, transferControl } from "../../../../../src/wire/messages/transfer.ts";
import { leafHash } from "../../../../../src/wire/tree/block-tree.ts";
import { sessionPair } from "../../../../support/session-pair.ts";
import {
  fileMessages,
  offerOf,
  type Party,
  party,
  patterned,
  type RawPeer,
  rawPeer,
  type Stage,
  stage,
} from "./stage.ts";

const MIB = 1_048_576;
const id = new Uint8Array(16).fill(0xaa);
type Part = TransferBulk | Uint8Array;

/** An honest offer of these files, accepted. */
async function accepted(sender: RawPeer, files: ReadonlyArray<readonly [string, number]>): Promise<void> {
  const { offer, pages } = offerOf(id, files);
  await sender.say(offer);
  await sender.stream(...pages).finish();
  expect((await sender.heard()).kind).toBe("accept");
}

interface Scene extends AsyncDisposable {
  readonly here: Stage;
  readonly sender: RawPeer;
  readonly ben: Party;
}

async function scene(choices: Parameters<typeof party>[2] = {}): Promise<Scene> {
  const here = await stage();
  const { a, b } = sessionPair({ names: ["eve", "ben"] });
  const ben = await party(b, here.out, choices);
  return { here, sender: rawPeer(a), ben, [Symbol.asyncDispose]: () => here[Symbol.asyncDispose]() };
}

const content = patterned(2 * MIB + 5);
const honest = fileMessages(0, content);
const [block0, bytes0, block1, bytes1] = honest;

function changed(part: Part | undefined, change: object): Part {
  return Object.assign({}, known(part), change);
}

function known(part: Part | undefined): Part {
  if (part === undefined) throw new RangeError("the file has fewer blocks");
  return part;
}

const short = new Uint8Array(MIB);
/** What goes on the data stream behind `dataOf`, of one offered file of 2 MiB and 5 bytes. */
const hostileData: ReadonlyArray<readonly [number, string, readonly Part[]]> = [
  [154, "fewer blocks than announced", [known(block0), known(bytes0), changed(honest.at(-1), { bytes: MIB })]],
  [154, "the announced length in `end` and fewer blocks", [known(block0), known(bytes0), known(honest.at(-1))]],
  [154, "a block more than announced", [...honest.slice(0, -1), changed(block0, { index: 3 }), known(bytes0)]],
  [155, "a block outside the file first", [changed(block0, { index: 7 }), known(bytes0)]],
  [155, "a block of a file that was not offered", [changed(block0, { entry: 1 }), known(bytes0)]],
  [155, "a block twice", [known(block0), known(bytes0), known(block0), known(bytes0)]],
  [155, "a block left out", [known(block0), known(bytes0), changed(block1, { index: 2 }), known(bytes1)]],
  [155, "a block with a wrong hash", [changed(block0, { hash: new Uint8Array(32) }), known(bytes0)]],
  [155, "a block with other bytes than its hash", [known(block0), short]],
  [155, "a block of no bytes", [changed(block0, { bytes: 0, hash: leafHash(new Uint8Array(0)) })]],
  [155, "a block larger than the limit", [changed(block0, { bytes: MIB + 1 }), known(bytes0), Uint8Array.of(1)]],
  [155, "a block shorter than the file has", [changed(block0, { bytes: 5 }), content.subarray(0, 5)]],
  [155, "bytes that are no message", [Uint8Array.of(0xff, 1, 2, 3)]],
  [155, "a message of 4 billion bytes", [Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)]],
  [155, "a message with its length not in the shortest form", [Uint8Array.of(0xc5, 0x00, 0x01, 0x90)]],
  [155, "a page among the data", [{ kind: "page", first: 0, entries: [] }]],
  [155, "another `dataOf`", [{ kind: "dataOf", transfer: id }]],
  [155, "the end before any block", [known(honest.at(-1))]],
  [155, "the end twice", [...honest, known(honest.at(-1))]],
  [155, "a block behind the end", [...honest, known(block0), known(bytes0)]],
  [156, "a wrong root at the end", [...honest.slice(0, -1), changed(honest.at(-1), { root: new Uint8Array(32) })]],
];

test.each(hostileData)("bad input %d: %s ends the transfer, and both are told", async (_number, what, parts) => {
  await using on = await scene();
  await accepted(on.sender, [["a.bin", content.length]]);
  const data = on.sender.stream({ kind: "dataOf", transfer: id }, ...parts);
  const [end] = await on.ben.ended(1);
  expect(end?.error).toMatchObject({ code: "bad-message", side: "remote" });
  // A file that was whole before the nonsense began is saved and stays.
  const isWhole = what === "the end twice" || what === "a block behind the end";
  expect(Object.keys(await on.here.received())).toEqual(isWhole ? ["a.bin"] : []);
  if (isWhole) expect((await on.sender.heard()).kind).toBe("saved");
  expect(await on.sender.heard()).toEqual({ kind: "cancel", transfer: id, code: "bad-message" });
  await expect(data.put(new Uint8Array(1))).rejects.toMatchObject({ code: "bad-message" });
});

test("bad input 154: a stream that ends within a block fails the file", async () => {
  await using on = await scene();
  await accepted(on.sender, [["a.bin", content.length]]);
  const data = on.sender.stream({ kind: "dataOf", transfer: id }, known(block0), short.subarray(1));
  await data.finish();
  expect((await on.ben.ended(1))[0]?.error).toMatchObject({ code: "bad-message" });
  expect(await on.here.received()).toEqual({});
});

test("bad input 156: a wrong file among good ones leaves the good ones and stops the rest", async () => {
  await using on = await scene();
  const small = patterned(100);
  await accepted(on.sender, [
    ["a", 100],
    ["b", 100],
    ["c", 100],
  ]);
  const wrong = fileMessages(1, small).map((part) => (part instanceof Uint8Array ? part.toReversed() : part));
  on.sender.stream({ kind: "dataOf", transfer: id }, ...fileMessages(0, small), ...wrong, ...fileMessages(2, small));
  expect((await on.ben.ended(1))[0]?.error).toMatchObject({ code: "bad-message" });
  expect(await on.here.received()).toEqual({ a: small });
});

const sizes: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["-1", Uint8Array.of(0xff)],
  ["1.5", Uint8Array.of(0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0)],
  ["a string", Uint8Array.of(0xa2, 0x31, 0x30)],
  ["2^53", Uint8Array.of(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0)],
  ["1e300", Uint8Array.of(0xcb, 0x7e, 0x37, 0xe4, 0x3c, 0x88, 0x00, 0x75, 0x9c)],
];

test.each(sizes)("bad input 154: an offer of %s bytes ends the session", async (_what, size) => {
  await using here = await stage();
  const { a, b } = sessionPair();
  const ben = await party(b, here.out);
  await a.control.send(concat(Uint8Array.of(0x95, 0x01, 0xc4, 0x10), id, Uint8Array.of(1), size, Uint8Array.of(0x90)));
  expect(await b.ended).toMatchObject({ code: "bad-message", side: "local" });
  expect(ben.ends).toEqual([]);
});

test("bad input 154: an offer larger than the disk is declined before anybody is asked", async () => {
  let asked = 0;
  await using on = await scene({ decide: async () => ((asked += 1), "accept" as const) });
  const { offer, pages } = offerOf(id, [["huge.bin", 2 ** 52]]);
  await on.sender.say(offer);
  await on.sender.stream(...pages).finish();
  expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: id, code: "disk-full" });
  expect((await on.ben.ended(1))[0]?.error).toMatchObject({ code: "disk-full", side: "local" });
  expect(asked).toBe(0);
});

const page = (first: number, ...entries: ReadonlyArray<readonly [string[], number]>): TransferBulk => ({
  kind: "page",
  first,
  entries: entries.map(([path, bytes]) => ({ path, kind: "file", bytes })),
});
/** What goes on the list's stream behind `pagesOf`, of an offer of `a` and `b` with 3 bytes each. */
const hostileLists: ReadonlyArray<readonly [string, string, readonly Part[]]> = [
  ["is empty", "bad-message", []],
  ["ends early", "bad-message", [page(0, [["a"], 3])]],
  ["is longer than its offer", "bad-message", [page(0, [["a"], 3], [["b"], 3], [["c"], 0])]],
  ["has more bytes than its offer", "bad-message", [page(0, [["a"], 3], [["b"], 4])]],
  ["has fewer bytes than its offer", "bad-message", [page(0, [["a"], 3], [["b"], 2])]],
  ["names other files than its offer", "bad-message", [page(0, [["a"], 3], [["c"], 3])]],
  ["has a page out of order", "bad-message", [page(1, [["a"], 3], [["b"], 3])]],
  ["has a page twice", "bad-message", [page(0, [["a"], 3]), page(0, [["a"], 3])]],
  ["has an empty page", "bad-message", [page(0), page(0, [["a"], 3], [["b"], 3])]],
  ["has an entry without a name", "bad-message", [page(0, [["a"], 3], [[], 3])]],
  ["holds contents", "bad-message", [known(block0)]],
];

test.each(hostileLists)("a list that %s is declined with `%s`, and nobody is asked", async (_what, code, parts) => {
  let asked = 0;
  await using on = await scene({ decide: async () => ((asked += 1), "accept" as const) });
  await on.sender.say(
    offerOf(id, [
      ["a", 3],
      ["b", 3],
    ]).offer,
  );
  const list = on.sender.stream({ kind: "pagesOf", transfer: id }, ...parts);
  await list.finish().catch(() => undefined);
  expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: id, code });
  await on.ben.ended(1);
  expect(asked).toBe(0);
});

/** An offer of one entry whose page is made by hand. */
async function offerEntry(sender: RawPeer, name: string, entry: Value): Promise<void> {
  await sender.say({ kind: "offer", transfer: id, count: 1, bytes: 3, first: [{ name, bytes: 3 }] });
  const message = packValue([0x02, 0, [entry]]);
  const { length } = message;
  const head = length < 256 ? Uint8Array.of(0xc4, length) : Uint8Array.of(0xc5, length >> 8, length & 255);
  const list = sender.stream({ kind: "pagesOf", transfer: id }, head, message);
  await list.finish().catch(() => undefined);
}

const deep = (depth: number) => Array.from({ length: depth }, () => "d");
const hostileEntries: ReadonlyArray<readonly [number, string, string, Value]> = [
  [157, "in a folder", "unknown-type", [["d", "a"], "file", 3]],
  [
    157,
    "64 deep, which is what the wire carries, in folders that are not taken yet",
    "unknown-type",
    [deep(64), "file", 3],
  ],
  [157, "65 deep", "bad-message", [deep(65), "file", 3]],
  [157, "of a path over 4 096 bytes", "bad-message", [Array.from({ length: 17 }, () => "d".repeat(255)), "file", 3]],
  [157, "of a name over 255 bytes", "bad-message", [["d".repeat(256)], "file", 3]],
  [158, "that is a folder", "unknown-type", [["d"], "folder", 3]],
  [158, "that is a link", "bad-message", [["a"], "symlink", 3]],
  [158, "that is a hard link", "bad-message", [["a"], "link", 3]],
  [158, "that is a device", "bad-message", [["a"], "device", 3]],
];

test.each(hostileEntries)("bad input %d: an entry %s is declined with `%s`", async (_number, _what, code, entry) => {
  await using on = await scene();
  const name = ((entry as Value[])[0] as string[]).join("/").slice(0, 255);
  await offerEntry(on.sender, name, entry);
  expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: id, code });
  expect(await on.here.received()).toEqual({});
});

test("bad input 158: mode, owner and attributes behind an entry are ignored", async () => {
  await using on = await scene();
  await offerEntry(on.sender, "a", [["a"], "file", 3, 0o4777, "root", ["user.xattr"]]);
  expect((await on.sender.heard()).kind).toBe("accept");
  on.sender.stream({ kind: "dataOf", transfer: id }, ...fileMessages(0, Uint8Array.of(1, 2, 3)));
  expect((await on.sender.heard()).kind).toBe("saved");
  expect(await on.here.received()).toEqual({ a: Uint8Array.of(1, 2, 3) });
});

test("bad input 157: an offer of over a million entries is declined before its list is read", async () => {
  await using on = await scene();
  const files = Array.from({ length: 50 }, (_, index) => [`file ${index}`, 1] as const);
  await on.sender.say({ ...offerOf(id, files).offer, count: 1_000_001 });
  expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: id, code: "too-large" });
});

const numbered = (number: number) =>
  new Uint8Array(16)
    .fill(0)
    .with(0, number >> 8)
    .with(1, number & 255);

test("bad input 159: of 1 000 offers at once five are open, the others declined", async () => {
  await using on = await scene();
  for (let number = 0; number < 1_000; number++) await on.sender.say(offerOf(numbered(number), [["a", 1]]).offer);
  for (let number = 5; number < 1_000; number++)
    expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: numbered(number), code: "limited" });
  await on.sender.stream(...offerOf(numbered(0), [["a", 1]]).pages).finish();
  expect(await on.sender.heard()).toEqual({ kind: "accept", transfer: numbered(0) });
});

test("bad input 159: whoever offers and offers without reading an answer ends the session, not the memory here", async () => {
  await using here = await stage();
  const { a, b } = sessionPair();
  await party(b, here.out);
  const offer = (number: number) => transferControl.encode(offerOf(numbered(number), [["a", 1]]).offer);
  let sent = 0;
  const flood = async () => {
    for (; sent < 60_000; sent++) await a.control.send(offer(sent));
  };
  await expect(flood()).rejects.toMatchObject({ code: "limited", side: "remote" });
  expect(sent).toBeLessThan(20_000);
});

test("bad input 159: offers that are taken back at once raise five questions and no more", async () => {
  const questions: Array<PromiseWithResolvers<void>> = Array.from({ length: 20 }, () => Promise.withResolvers());
  let asked = 0;
  const decide = () => {
    questions[asked++]?.resolve();
    return new Promise<"accept">(() => undefined);
  };
  await using on = await scene({ decide });
  for (let number = 0; number < 5; number++) {
    const { offer, pages } = offerOf(numbered(number), [["a", 1]]);
    await on.sender.say(offer);
    await on.sender.stream(...pages).finish();
    await questions[number]?.promise;
    await on.sender.say({ kind: "cancel", transfer: numbered(number), code: "cancelled" });
    await on.ben.ended(number + 1);
  }
  for (let number = 5; number < 20; number++) {
    await on.sender.say(offerOf(numbered(number), [["a", 1]]).offer);
    expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: numbered(number), code: "limited" });
  }
  expect(asked).toBe(5);
});

test("bad input 159: an offer that is taken back withdraws its question", async () => {
  const question = Promise.withResolvers<AbortSignal>();
  await using on = await scene({
    decide: (_offer, signal) => (question.resolve(signal), new Promise(() => undefined)),
  });
  const { offer, pages } = offerOf(id, [["a", 1]]);
  await on.sender.say(offer);
  await on.sender.stream(...pages).finish();
  const signal = await question.promise;
  await on.sender.say({ kind: "cancel", transfer: id, code: "file-changed" });
  expect((await on.ben.ended(1))[0]?.error).toMatchObject({ code: "file-changed", side: "remote" });
  expect(signal.aborted).toBe(true);
});

test("bad input 159: data before the accept ends the transfer", async () => {
  await using on = await scene({ decide: () => new Promise(() => undefined) });
  const { offer, pages } = offerOf(id, [["a", 1]]);
  await on.sender.say(offer);
  await on.sender.stream(...pages).finish();
  on.sender.stream({ kind: "dataOf", transfer: id }, ...fileMessages(0, Uint8Array.of(1)));
  expect(await on.sender.heard()).toEqual({ kind: "decline", transfer: id, code: "bad-message" });
  expect(await on.here.received()).toEqual({});
});

test("bad input 159: data of a transfer that nobody offered is stopped", async () => {
  await using on = await scene();
  const stream = on.sender.stream({ kind: "dataOf", transfer: id }, ...fileMessages(0, Uint8Array.of(1)));
  await stopped(stream);
  expect(await on.here.received()).toEqual({});
});

test("bad input 159: a transfer id that is used twice, also after its end, counts once", async () => {
  await using on = await scene();
  const { offer, pages } = offerOf(id, [["a", 1]]);
  const bytes = Uint8Array.of(1);
  await on.sender.say(offer);
  await on.sender.say(offer);
  await on.sender.stream(...pages).finish();
  expect((await on.sender.heard()).kind).toBe("accept");
  await on.sender.stream({ kind: "dataOf", transfer: id }, ...fileMessages(0, bytes)).finish();
  expect((await on.sender.heard()).kind).toBe("saved");
  expect((await on.sender.heard()).kind).toBe("received");
  await on.sender.say(offer);
  await stopped(on.sender.stream(...pages));
  expect(on.ben.ends.length).toBe(1);
  expect(await on.here.received()).toEqual({ a: bytes });
});

test("bad input 159: a second list and a second data stream end the transfer", async () => {
  for (const kind of ["pagesOf", "dataOf"] as const) {
    await using on = await scene();
    await accepted(on.sender, [["a", 1]]);
    if (kind === "dataOf") on.sender.stream({ kind, transfer: id });
    on.sender.stream({ kind, transfer: id });
    expect(await on.sender.heard()).toEqual({ kind: "cancel", transfer: id, code: "bad-message" });
  }
});

test("a list that overtakes its offer waits for it", async () => {
  await using on = await scene();
  const { offer, pages } = offerOf(id, [["a", 1]]);
  const list = on.sender.stream(...pages);
  await list.finish();
  await list.put().catch(() => undefined);
  await on.sender.say(offer);
  expect((await on.sender.heard()).kind).toBe("accept");
});

test("of streams that say nothing, or belong to no offer, sixteen are kept open", async () => {
  await using on = await scene();
  const silent = Array.from({ length: 8 }, () => on.sender.stream(Uint8Array.of(0xc4)));
  const early = Array.from({ length: 8 }, (_, number) =>
    on.sender.stream({ kind: "pagesOf", transfer: numbered(number) }),
  );
  await stopped(on.sender.stream({ kind: "pagesOf", transfer: numbered(99) }), "limited");
  for (const stream of [...silent, ...early]) await stream.put(new Uint8Array(0));
});

test("a stream that begins with anything but its transfer is stopped", async () => {
  await using on = await scene();
  for (const part of [Uint8Array.of(0), known(block0), page(0, [["a"], 1])])
    await stopped(on.sender.stream(part), "bad-message");
});

/** Resolves once writing fails because the other end stopped reading. */
async function stopped(stream: ReturnType<RawPeer["stream"]>, code?: string): Promise<void> {
  for (;;) {
    try {
      await stream.put(Uint8Array.of(0xc0));
      await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      expect(error).toMatchObject(code === undefined ? { side: "remote" } : { side: "remote", code });
      return;
    }
  }
}
