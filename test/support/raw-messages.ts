import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Packr } from "msgpackr/pack";
import { concat, fromHex } from "../../src/wire/bytes.ts";
import type { Value } from "../../src/wire/codec/msgpack.ts";
import { signalling } from "../../src/wire/messages/signalling.ts";
import type { Seeded } from "../sim/seeded.ts";
import { flipBit, hex } from "./bytes.ts";
import { pick } from "./raw-datagrams.ts";
import { root } from "./sources.ts";
import { unpackValue } from "./unpack-value.ts";

/** Knows more than our own: fractions, for one. */
const packr = new Packr({ useRecords: false });

/** One message of each kind, as the tables of PROTOCOL.md have their bytes. @param heading how the section begins: `5. ` */
export function messagesOfProtocol(heading: string): ReadonlyMap<string, Uint8Array> {
  const text = readFileSync(join(root, "src/wire/PROTOCOL.md"), "utf8");
  const section = text.split(/^#{2,3} /m).find((each) => each.startsWith(heading)) ?? "";
  const rows = section.matchAll(/^\| (\w+) +\| [^|]* \| ((?:[0-9a-f]{2}(?:×\d+)? ?)+) *\|/gm);
  const bytesOf = (spaced: string) =>
    fromHex(
      spaced
        .replaceAll(/([0-9a-f]{2})×(\d+)/g, (_, byte: string, count: string) => byte.repeat(Number(count)))
        .replaceAll(" ", ""),
    ) ?? new Uint8Array();
  return new Map(Array.from(rows, ([, name = "", spaced = ""]) => [name, bytesOf(spaced)]));
}

/** MessagePack that claims more than there is, or is no part of what is spoken here. */
const headers: readonly Uint8Array[] = [
  hex("dd ffffffff"),
  hex("93 01 01 dd ffffffff"),
  hex("93 01 01 db ffffffff"),
  hex("93 01 01 c6 ffffffff"),
  hex("dc ffff 01"),
  hex(`${"91".repeat(9)} 01`),
  new Uint8Array(100_000).fill(0x91),
  hex("81 a9 5f5f70726f746f5f5f c3"), // a map with __proto__
  hex("93 01 01 81 ab 636f6e7374727563746f72 c0"),
  hex("c7 ff 00"),
  hex("d4 00 00"),
  hex("93 01 cb 7ff8000000000000 c0"), // NaN for a number
  hex("93 01 ce 00000001 c0"), // not the shortest form
  hex("c1"),
  new Uint8Array(),
];

const values: readonly Value[] = [
  null,
  true,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 32,
  2 ** 53,
  "",
  "\0",
  "__proto__",
  '{"$gt":""}',
  "' OR 1=1 --",
  "../../etc/passwd",
  "\r\nDEL *\r\n",
  "\u202e\u001b]0;x\u0007",
  "x".repeat(10_000),
  new Uint8Array(),
  new Uint8Array(15),
  new Uint8Array(16),
  new Uint8Array(32),
  new Uint8Array(40_000),
  [],
  [[[[]]]],
  Array.from({ length: 600 }, () => "x"),
];

const texts = [
  "",
  "\0",
  "ana",
  "__proto__",
  "../x",
  "' OR 1=1 --",
  '{"$gt":""}',
  "\u202e\u001b]0;x\u0007",
  "declined",
  "é".repeat(32),
];

/**
 * Endless messages of the channel, from a seed, that keep to their row of the table and mean nothing. Their requests rise from 1 000
 * on.
 */
export function* plausibleMessages(numbers: Seeded, samples: readonly Uint8Array[]): Generator<Uint8Array, never> {
  for (let request = 1_000; ; request++) yield plausibleMessage(numbers, pick(numbers, samples), request);
}

/** The same message with values of the same types, some of them others. @param request what it says there, where it has one */
export function plausibleMessage(numbers: Seeded, sample: Uint8Array, request: number): Uint8Array {
  const [number = 0, ...rest] = fieldsOf(sample);
  const fields = rest.map((field) => another(numbers, field));
  const changed = packr.pack([number, ...("request" in signalling.decode(sample) ? fields.with(0, request) : fields)]);
  return isOfTable(changed) ? changed : sample;
}

function isOfTable(bytes: Uint8Array): boolean {
  try {
    signalling.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function another(numbers: Seeded, value: Value): Value {
  if (numbers.chance(0.3)) return value;
  if (typeof value === "number") return pick(numbers, [0, 1, 2, 255, 65_535, 2 ** 32 - 1, numbers.between(0, 1_000)]);
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") return pick(numbers, texts);
  if (value instanceof Uint8Array) return numbers.bytes(value.length);
  if (value === null) return pick<Value>(numbers, [null, "token", new Uint8Array(16)]);
  const items = value.map((item) => another(numbers, item));
  return pick(numbers, [items, [], [...items, ...items, ...items]]);
}

/** Endless messages, from a seed, of which few are what the table has; `samples` are ones that are. */
export function* hostileMessages(numbers: Seeded, samples: readonly Uint8Array[]): Generator<Uint8Array, never> {
  for (;;) yield hostileMessage(numbers, pick(numbers, samples));
}

function hostileMessage(numbers: Seeded, sample: Uint8Array): Uint8Array {
  switch (numbers.between(0, 7)) {
    case 0:
      return numbers.bytes(numbers.between(0, 300));
    case 1:
      return pick(numbers, headers);
    case 2:
      return sample.subarray(0, numbers.between(0, sample.length - 1));
    case 3:
      return flipBit(sample, numbers.between(0, sample.length * 8 - 1));
    case 4:
      return concat(sample, numbers.bytes(numbers.between(1, 16)));
    case 5:
      return packr.pack([numbers.between(0, 127), ...someValues(numbers, numbers.between(0, 8))]);
    default:
      return withOneFieldReplaced(numbers, sample);
  }
}

function withOneFieldReplaced(numbers: Seeded, sample: Uint8Array): Uint8Array {
  const fields = fieldsOf(sample);
  return packr.pack(fields.with(numbers.between(0, fields.length - 1), pick(numbers, values)));
}

function fieldsOf(sample: Uint8Array): readonly Value[] {
  const message = unpackValue(sample, { maxDepth: 8, maxCount: 1_000 });
  if (!Array.isArray(message)) throw new Error("a message is an array");
  return message as readonly Value[];
}

function someValues(numbers: Seeded, count: number): Value[] {
  return Array.from({ length: count }, () => pick(numbers, values));
}
