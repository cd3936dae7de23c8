import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TransferEvent } from "../../../../../src/modes/cli/events.ts";
import type { ByteReader, PeerSession } from "../../../../../src/modes/peer/peer-session.ts";
import { type Inbox, type IncomingEnd, OfferPlaces } from "../../../../../src/modes/peer/transfer/inbox.ts";
import { BulkInput, framed } from "../../../../../src/modes/peer/transfer/message-stream.ts";
import { ReceivingFolder } from "../../../../../src/modes/peer/transfer/receiving-folder.ts";
import { Transfers } from "../../../../../src/modes/peer/transfer/transfers.ts";
import { BLOCK_BYTES } from "../../../../../src/wire/limits.ts";
import { type TransferBulk, transferControl, type TransferControl } from "../../../../../src/wire/messages/transfer.ts";
import { leafHash, RootBuilder } from "../../../../../src/wire/tree/block-tree.ts";

/** Folders to send from and to receive in, gone when disposed. */
export interface Stage extends AsyncDisposable {
  readonly root: string;
  readonly out: string;
  /** Makes a file to send. @returns its path */
  file(name: string, contents: Uint8Array | string): Promise<string>;
  /** What stands in the receiving folder, by name; folders and the like are null. */
  received(): Promise<Record<string, Uint8Array | null>>;
}

export async function stage(): Promise<Stage> {
  const root = await mkdtemp(join(tmpdir(), "p2p-test-"));
  const [from, out] = [join(root, "from"), join(root, "out")];
  await mkdir(from);
  await mkdir(out);
  return {
    root,
    out,
    async file(name, contents) {
      await writeFile(join(from, name), contents);
      return join(from, name);
    },
    async received() {
      const found: Record<string, Uint8Array | null> = {};
      for (const entry of await readdir(out, { withFileTypes: true }))
        found[entry.name] = entry.isFile() ? new Uint8Array(await readFile(join(out, entry.name))) : null;
      return found;
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/** One end that runs the real thing, and what it told. */
export interface Party {
  readonly transfers: Transfers;
  readonly events: TransferEvent[];
  readonly ends: IncomingEnd[];
  /** Resolves when so many offers have ended here. */
  ended(count: number): Promise<IncomingEnd[]>;
}

export async function party(session: PeerSession, out: string, choices: Partial<Inbox> = {}): Promise<Party> {
  const events: TransferEvent[] = [];
  const ends: IncomingEnd[] = [];
  let changed = Promise.withResolvers<void>();
  const inbox: Inbox = {
    folder: await ReceivingFolder.open(out),
    conflict: "number",
    maxBytes: null,
    places: new OfferPlaces(),
    decide: async () => "accept",
    ...choices,
    onEnd: (end) => {
      ends.push(end);
      changed.resolve();
      changed = Promise.withResolvers();
    },
  };
  const random = (length: number) => new Uint8Array(randomBytes(length));
  const transfers = new Transfers(session, { onEvent: (event) => void events.push(event), inbox, random });
  const ended = async (count: number) => {
    while (ends.length < count) await changed.promise;
    return ends;
  };
  return { transfers, events, ends, ended };
}

/** An end that says what it likes. */
export interface RawPeer {
  say(message: TransferControl): Promise<void>;
  /** The next thing the other end says, cancels and declines as any other. */
  heard(): Promise<TransferControl>;
  /** A bulk stream that begins with these messages and bytes. */
  stream(...parts: ReadonlyArray<TransferBulk | Uint8Array>): RawStream;
  /** The next stream that the other end opens. */
  opened(): Promise<BulkInput>;
}

export interface RawStream {
  /** More behind what was put before. */
  put(...parts: ReadonlyArray<TransferBulk | Uint8Array>): Promise<void>;
  /** No more follows. */
  finish(): Promise<void>;
}

export function rawPeer(session: PeerSession): RawPeer {
  const messages = mailbox<TransferControl>();
  const streams = mailbox<ByteReader>();
  session.control.onMessage((bytes) => messages.put(transferControl.decode(bytes)));
  session.onBulk((stream) => streams.put(stream));
  return {
    say: (message) => session.control.send(transferControl.encode(message)),
    heard: () => messages.take(),
    stream(...parts) {
      const writer = session.openBulk();
      let last: Promise<void> = Promise.resolve();
      const write = async (more: ReadonlyArray<TransferBulk | Uint8Array>) => {
        for (const part of more) await writer.write(part instanceof Uint8Array ? part : framed(part));
      };
      const put = (...more: ReadonlyArray<TransferBulk | Uint8Array>) => {
        last = last.then(() => write(more));
        // A stream that is stopped at the other end fails for whoever waits.
        last.catch(() => undefined);
        return last;
      };
      void put(...parts);
      return { put, finish: () => last.then(() => writer.finish()) };
    },
    opened: async () => new BulkInput(await streams.take()),
  };
}

function mailbox<Item>() {
  const items: Item[] = [];
  const takers: Array<(item: Item) => void> = [];
  return {
    put(item: Item): void {
      const taker = takers.shift();
      if (taker === undefined) items.push(item);
      else taker(item);
    },
    take(): Promise<Item> {
      const item = items.shift();
      return item === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(item);
    },
  };
}

/** A file as a well-behaved sender would put it on the data stream. */
export function fileMessages(entry: number, contents: Uint8Array): Array<TransferBulk | Uint8Array> {
  const tree = new RootBuilder();
  const parts: Array<TransferBulk | Uint8Array> = [];
  for (let index = 0; index * BLOCK_BYTES < contents.length; index++) {
    const block = contents.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    const hash = leafHash(block);
    tree.add(hash);
    parts.push({ kind: "block", entry, index, bytes: block.length, hash }, block);
  }
  return [...parts, { kind: "end", entry, bytes: contents.length, root: tree.root() }];
}

/** An offer of files of these sizes, honest unless told otherwise, and its list. */
export function offerOf(
  transfer: Uint8Array,
  files: ReadonlyArray<readonly [name: string, bytes: number]>,
): { readonly offer: TransferControl & { kind: "offer" }; readonly pages: TransferBulk[] } {
  const bytes = files.reduce((sum, [, size]) => sum + size, 0);
  const first = files.slice(0, 50).map(([name, size]) => ({ name, bytes: size }));
  const entries = files.map(([name, size]) => ({ path: [name], kind: "file" as const, bytes: size }));
  const pages: TransferBulk[] = [{ kind: "pagesOf", transfer }];
  for (let at = 0; at < entries.length; at += 500)
    pages.push({ kind: "page", first: at, entries: entries.slice(at, at + 500) });
  return { offer: { kind: "offer", transfer, count: files.length, bytes, first }, pages };
}

/** Bytes that repeat nowhere within a block, the same on every run. */
export function patterned(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++)
    words[index] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer, 0, length);
}
