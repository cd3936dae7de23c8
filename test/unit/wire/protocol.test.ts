import { expect, test } from "bun:test";
import { zstd } from "../../../src/modes/runtime/zstd.ts";
import { fromHex, toHex, utf8 } from "../../../src/wire/bytes.ts";
import { errorCodes } from "../../../src/wire/errors.ts";
import { chat } from "../../../src/wire/messages/chat.ts";
import { introductions } from "../../../src/wire/messages/preview.ts";
import { nodeMessages } from "../../../src/wire/messages/nodes.ts";
import { packing, unpacked } from "../../../src/wire/messages/packed.ts";
import { relay } from "../../../src/wire/messages/relay.ts";
import { encodeLegReply, encodeLegRequest } from "../../../src/wire/messages/leg.ts";
import { frames } from "../../../src/wire/messages/session.ts";
import { signalling } from "../../../src/wire/messages/signalling.ts";
import { transferBulk, transferControl } from "../../../src/wire/messages/transfer.ts";
import { deriveLegKeys, signLeg } from "../../../src/wire/relay/leg-keys.ts";

const text = await Bun.file(new URL("../../../src/wire/PROTOCOL.md", import.meta.url)).text();

/** What the tables of different messages have in common. */
interface AnyTable {
  readonly name: string;
  readonly kinds: readonly string[];
  decode(bytes: Uint8Array): { readonly kind: string };
  encode(message: { readonly kind: string }): Uint8Array;
}

/** The rows `| name | … | bytes | … |` of one section, as PROTOCOL.md §0 spells bytes. */
function rowsOf(heading: string): readonly (readonly [string, Uint8Array])[] {
  const section = text.split(/^#{2,3} /m).find((each) => each.startsWith(heading)) ?? "";
  const rows = section.matchAll(/^\| (\w+) +\| [^|]* \| ((?:[0-9a-f]{2}(?:×\d+)? ?)+) *\|/gm);
  return Array.from(rows, ([, name = "", spaced = ""]) => [name, bytesOf(spaced)]);
}

function bytesOf(spaced: string): Uint8Array {
  const plain = spaced
    .trim()
    .replaceAll(/([0-9a-f]{2})×(\d+)/g, (_, byte: string, count: string) => byte.repeat(Number(count)));
  return fromHex(plain.replaceAll(" ", "")) ?? new Uint8Array();
}

const sections: readonly (readonly [string, AnyTable])[] = [
  ["5. ", signalling],
  ["6.1 ", introductions],
  ["7.4 ", frames],
  ["8.1 ", relay],
  ["9.1 ", packing],
  ["9.2 ", chat],
  ["9.3 ", transferControl],
  ["9.4 ", transferBulk],
  ["12. ", nodeMessages],
];

for (const [heading, table] of sections) {
  const rows = rowsOf(heading).filter(([name]) => table.kinds.includes(name));

  test(`PROTOCOL.md §${heading}has the bytes of each message of ${table.name}`, () => {
    for (const [name, bytes] of rows) {
      const message = table.decode(bytes);
      expect(message.kind).toBe(name);
      expect(toHex(table.encode(message))).toBe(toHex(bytes));
    }
  });

  test(`PROTOCOL.md §${heading}leaves out no message of ${table.name}`, () => {
    expect(rows.map(([name]) => name).toSorted()).toEqual(table.kinds.toSorted());
  });
}

test("PROTOCOL.md §8.2 has the bytes of requests and replies", () => {
  const keys = deriveLegKeys(Uint8Array.from({ length: 32 }, (_, index) => index));
  const leg = Uint8Array.from({ length: 16 }, (_, index) => 0xa0 + index);
  const cookie = Uint8Array.from({ length: 16 }, (_, index) => 0xb0 + index);
  const ask = (sequence: number, cookie: Uint8Array) =>
    signLeg(keys.request, encodeLegRequest({ leg, sequence, cookie, indexes: [1, 0xffff_ffff] }));
  const answer = (sequence: number, isRegistered: boolean, refused: number) =>
    signLeg(keys.reply, encodeLegReply({ leg, sequence, cookie, isRegistered, refused }));
  const messages = [ask(1, new Uint8Array(16)), answer(1, false, 0), ask(2, cookie), answer(2, true, 2)];
  expect(rowsOf("8.2 ").map(([, bytes]) => toHex(bytes))).toEqual(messages.map(toHex));
});

test("PROTOCOL.md §9.1 has a packed message that unpacks to what it says", () => {
  const [[, bytes] = ["", new Uint8Array()]] = rowsOf("9.1 ");
  expect(chat.decode(unpacked(bytes, zstd))).toMatchObject({ kind: "text", text: utf8("ha".repeat(64)) });
});

test("PROTOCOL.md §11 names every code", () => {
  const section = text.split(/^## /m).find((each) => each.startsWith("11. ")) ?? "";
  for (const code of errorCodes) expect(section).toContain(`\`${code}\``);
});
