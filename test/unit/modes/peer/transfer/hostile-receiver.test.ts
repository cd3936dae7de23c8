import { expect, test } from "bun:test";
import { prepare, type Shipment } from "../../../../../src/modes/peer/transfer/prepare.ts";
import type { TransferControl } from "../../../../../src/wire/messages/transfer.ts";
import { leafHash } from "../../../../../src/wire/tree/block-tree.ts";
import { sessionPair } from "../../../../support/session-pair.ts";
import { type Party, party, type RawPeer, rawPeer, type Stage, stage } from "./stage.ts";

interface Scene extends AsyncDisposable {
  readonly here: Stage;
  readonly receiver: RawPeer;
  readonly ana: Party;
  readonly shipment: Shipment;
}

const content = Uint8Array.of(1, 2, 3);
const root = leafHash(content);

/** Two files of three bytes each are about to be offered to a receiver that says what it likes. */
async function scene(): Promise<Scene> {
  const here = await stage();
  const { a, b } = sessionPair();
  const ana = await party(a, here.out);
  const shipment = await prepare([await here.file("a", content), await here.file("b", content)]);
  return { here, receiver: rawPeer(b), ana, shipment, [Symbol.asyncDispose]: () => here[Symbol.asyncDispose]() };
}

/** Starts the sending; its failure is for whoever waits for `sending`. */
async function offered(on: Scene): Promise<{ readonly sending: Promise<void>; readonly transfer: Uint8Array }> {
  const sending = on.ana.transfers.send(on.shipment);
  sending.catch(() => undefined);
  const { transfer } = await on.receiver.heard();
  return { sending, transfer };
}

/** Reads the data stream to its end, as a receiver of two small files does. */
async function readAll(receiver: RawPeer): Promise<void> {
  await receiver.opened();
  const data = await receiver.opened();
  for (let message = await data.next(); message !== null; message = await data.next())
    if (message.kind === "block") await data.readInto(new Uint8Array(message.bytes));
}

type Said = TransferControl extends infer Message
  ? Message extends unknown
    ? Omit<Message, "transfer">
    : never
  : never;
const accept = { kind: "accept" } as Said;
const received = { kind: "received" } as Said;
const saved = (entry: number, hash = root) => ({ kind: "saved", entry, root: hash }) as Said;
const cancelled = { kind: "cancel", code: "cancelled" } as Said;
const declined = { kind: "decline", code: "declined" } as Said;
const skip = (entry: number) => ({ kind: "skip", entry }) as Said;

const hostile: ReadonlyArray<readonly [string, readonly Said[]]> = [
  ["accepts twice", [accept, accept]],
  ["skips a file that was not offered", [skip(2)]],
  ["skips a file after the accept", [accept, skip(0)]],
  ["reports a file as saved before the accept", [saved(0)]],
  ["has received all before the accept", [received]],
  ["reports a file that was not offered", [accept, saved(2)]],
];

test.each(hostile)("a receiver that %s ends the transfer, and hears `bad-message`", async (_what, messages) => {
  await using on = await scene();
  const { sending, transfer } = await offered(on);
  for (const message of messages) await on.receiver.say({ ...message, transfer });
  await expect(sending).rejects.toMatchObject({ code: "bad-message", side: "remote" });
  expect(await on.receiver.heard()).toEqual({ kind: "cancel", transfer, code: "bad-message" });
});

const hostileReports: ReadonlyArray<readonly [string, readonly Said[]]> = [
  ["has received all and reported none", [received]],
  ["has received all and reported one of two", [saved(0), received]],
  ["reports another hash than that of the file", [saved(0, new Uint8Array(32))]],
  ["reports a file twice", [saved(0), saved(0)]],
];

test.each(hostileReports)("a receiver that %s is not believed", async (_what, messages) => {
  await using on = await scene();
  const { sending, transfer } = await offered(on);
  await on.receiver.say({ kind: "accept", transfer });
  await readAll(on.receiver);
  for (const message of messages) await on.receiver.say({ ...message, transfer });
  await expect(sending).rejects.toMatchObject({ code: "bad-message", side: "remote" });
  expect(on.ana.events.map(({ event }) => event)).not.toContain("sent");
});

test("a receiver that reports every file and then all of them is believed", async () => {
  await using on = await scene();
  const { sending, transfer } = await offered(on);
  await on.receiver.say({ kind: "skip", transfer, entry: 0 });
  await on.receiver.say({ kind: "accept", transfer });
  await readAll(on.receiver);
  await on.receiver.say({ kind: "saved", transfer, entry: 1, root });
  await on.receiver.say({ kind: "received", transfer });
  await sending;
  expect(on.ana.events.at(-1)).toMatchObject({ event: "sent", bytes: 3 });
});

test("bad input 159: what is said of another's transfer changes nothing", async () => {
  await using on = await scene();
  const { sending, transfer } = await offered(on);
  const other = new Uint8Array(16);
  const elsewhere: readonly Said[] = [accept, saved(0), received, skip(9), cancelled, declined];
  for (const message of elsewhere) await on.receiver.say({ ...message, transfer: other });
  await on.receiver.say({ kind: "decline", transfer, code: "declined" });
  await expect(sending).rejects.toMatchObject({ code: "declined", side: "remote" });
});

const told: ReadonlyArray<readonly [string, string]> = [
  ["disk-full", "disk-full"],
  ["limited", "limited"],
  ["server-key-changed", "peer-gone"],
  ["internal", "peer-gone"],
  ["nonsense \u001b[2J", "peer-gone"],
];

test.each(told)("a decline with %j is shown as `%s`, in our words", async (code, shown) => {
  await using on = await scene();
  const { sending, transfer } = await offered(on);
  await on.receiver.say({ kind: "decline", transfer, code });
  const error: unknown = await sending.catch((error: unknown) => error);
  expect(error).toMatchObject({ code: shown, side: "remote" });
  expect(String(error)).toMatch(/^UserError: cannot send the files to ben: [a-z ]+$/);
});

test("a receiver that stops reading ends the transfer with its code", async () => {
  await using on = await scene();
  const { sending, transfer } = await offered(on);
  await on.receiver.say({ kind: "accept", transfer });
  await on.receiver.opened();
  (await on.receiver.opened()).stop("disk-full");
  await on.receiver.say({ kind: "cancel", transfer, code: "disk-full" });
  await expect(sending).rejects.toMatchObject({ code: "disk-full", side: "remote" });
});
