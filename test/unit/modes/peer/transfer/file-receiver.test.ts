import { expect, test } from "bun:test";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import type { ByteReader } from "../../../../../src/modes/peer/peer-session.ts";
import { Fate } from "../../../../../src/modes/peer/transfer/fate.ts";
import { receiveFile } from "../../../../../src/modes/peer/transfer/file-receiver.ts";
import { ReceivingLimit } from "../../../../../src/modes/peer/transfer/limit.ts";
import { BulkInput, framed } from "../../../../../src/modes/peer/transfer/message-stream.ts";
import { PartialFile } from "../../../../../src/modes/peer/transfer/partial-file.ts";
import { ReceivingFolder } from "../../../../../src/modes/peer/transfer/receiving-folder.ts";
import { concat } from "../../../../../src/wire/bytes.ts";
import type { TransferBulk } from "../../../../../src/wire/messages/transfer.ts";
import { fileMessages, patterned, stage } from "./stage.ts";

const MIB = 1_048_576;
const content = patterned(4 * MIB + 70_000);

/** A stream whose next part comes when it is asked for, and may have a condition. */
interface Part {
  readonly bytes: Uint8Array;
  readonly ready?: () => Promise<void>;
}

const credited: PromiseWithResolvers<void>[] = [];
/** Resolves when more credit is given. */
function moreCredit(): Promise<void> {
  const more = Promise.withResolvers<void>();
  credited.push(more);
  return more.promise;
}

/** Takes `parts` into a file that stays where it is. @returns what came of it, what the disk holds then, and the credit given */
async function receiving(parts: readonly Part[], fate = new Fate("cannot receive")) {
  await using here = await stage();
  const folder = await ReceivingFolder.open(here.out);
  const partial = await PartialFile.create(folder, "ab".repeat(16), 0, content.length);
  const credits: number[] = [];
  const rest = [...parts];
  const reader: ByteReader = {
    async read() {
      const part = rest.shift();
      await part?.ready?.();
      return part?.bytes ?? null;
    },
    consumed(bytes) {
      credits.push(bytes);
      credited.splice(0).forEach(({ resolve }) => resolve());
    },
    stop: () => undefined,
  };
  const limit = new ReceivingLimit(() => 0);
  const written: number[] = [];
  const onWritten = (bytes: number) => void written.push(bytes);
  const file = { entry: 0, bytes: content.length, partial, fate, limit, onWritten };
  const outcome = await receiveFile(new BulkInput(reader), file).catch((error: unknown) => error);
  const [held] = Object.values(await here.received());
  await partial.discard();
  return { outcome, held, credits, written };
}

/** The blocks, each with its head in front, and the end. */
function partsOf(bytes: Uint8Array): Uint8Array[] {
  const raw = fileMessages(0, bytes).map((part) => (part instanceof Uint8Array ? part : framed(part)));
  return raw.flatMap((part, index) => (index % 2 === 0 ? [concat(part, raw[index + 1] ?? new Uint8Array(0))] : []));
}

function forged(index: number): Uint8Array {
  const head: TransferBulk = { kind: "block", entry: 0, index, bytes: MIB, hash: new Uint8Array(32) };
  return concat(framed(head), content.subarray(index * MIB, (index + 1) * MIB));
}

test("receiveFile() writes every block and gives back all credit", async () => {
  const parts = partsOf(content);
  const { outcome, held, credits, written } = await receiving(parts.map((bytes) => ({ bytes })));
  const end = fileMessages(0, content).at(-1);
  expect(outcome).toEqual(end !== undefined && "root" in end ? end.root : null);
  expect(held).toEqual(content);
  expect(credits).toEqual(parts.map(({ length }) => length));
  expect(written).toEqual([MIB, MIB, MIB, MIB, 70_000]);
});

test("receiveFile() writes a block and gives its credit while nothing more comes", async () => {
  const [first = new Uint8Array(0), ...others] = partsOf(content);
  const parts = [{ bytes: first }, ...others.map((bytes) => ({ bytes, ready: moreCredit }))];
  const { held, credits } = await receiving(parts);
  expect(held).toEqual(content);
  expect(credits).toHaveLength(parts.length);
});

test("bad input 155: of a block with a wrong hash, and of those behind it, nothing is written", async () => {
  const [first = new Uint8Array(0), , ...others] = partsOf(content);
  const parts = [{ bytes: first }, { bytes: forged(1), ready: moreCredit }, ...others.map((bytes) => ({ bytes }))];
  const { outcome, held, credits } = await receiving(parts);
  expect(outcome).toMatchObject({ code: "bad-message" });
  expect(held).toEqual(content.subarray(0, MIB));
  expect(credits).toEqual([first.length]);
});

test("bad input 155: a block with a wrong hash fails the file while nothing more comes", async () => {
  const fate = new Fate("cannot receive");
  const never = Promise.withResolvers<void>();
  const parts = [{ bytes: forged(0) }, { bytes: forged(1), ready: () => never.promise }];
  const { outcome, held, credits } = await receiving(parts, fate);
  expect(outcome).toMatchObject({ code: "bad-message" });
  expect(fate.code).toBe("bad-message");
  expect([held?.length, credits]).toEqual([0, []]);
});

test("receiveFile() ends at once when the transfer does, and writes nothing of what is being hashed", async () => {
  const fate = new Fate("cannot receive");
  const [first = new Uint8Array(0), second = new Uint8Array(0)] = partsOf(content);
  const cancel = async () => void fate.fail(new UserError("cancelled", "somebody stopped it"));
  const { outcome, held, credits } = await receiving([{ bytes: first }, { bytes: second, ready: cancel }], fate);
  expect(outcome).toMatchObject({ code: "cancelled" });
  expect([held?.length, credits]).toEqual([0, []]);
});
