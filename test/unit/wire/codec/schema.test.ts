import { expect, test } from "bun:test";
import { bytes, list, optional, record, text, u16, u32, u53, u8 } from "../../../../src/wire/codec/fields.ts";
import { packValue, type Value } from "../../../../src/wire/codec/msgpack.ts";
import { message, table, type AnyOf } from "../../../../src/wire/codec/schema.ts";

const specs = {
  hello: message(0x01, { version: u8, name: text(10) }),
  list: message(0x02, { people: list(record({ id: bytes(2), seen: optional(u53) }), 3) }),
  bare: message(0x03, {}),
};
const greetings = table("greetings", specs, 64);
type Greeting = AnyOf<typeof specs>;
const refusal = (value: Value) => {
  try {
    greetings.decode(packValue(value));
  } catch (error) {
    return error;
  }
  return null;
};

test("a table encodes kind and fields as one array and decodes them to a union told apart by kind", () => {
  const hello: Greeting = { kind: "hello", version: 3, name: "ana" };
  expect(greetings.encode(hello).toHex()).toBe("930103a3616e61");
  expect(greetings.decode(greetings.encode(hello))).toEqual(hello);
  const people: Greeting = { kind: "list", people: [{ id: Uint8Array.of(1, 2), seen: null }] };
  expect(greetings.decode(greetings.encode(people))).toEqual(people);
});

test("fields that a newer peer appends are ignored", () => {
  expect(greetings.decode(packValue([1, 3, "ana", "new", [1, 2]]))).toEqual({ kind: "hello", version: 3, name: "ana" });
  expect(greetings.decode(packValue([3, 1, 2]))).toEqual({ kind: "bare" });
});

test("bad input 52: each field missing, null or of a wrong type is refused by name", () => {
  const wrong: Value[] = [null, "1", [1], true, 256, new Uint8Array(1)];
  for (const value of wrong)
    expect(refusal([1, value, "ana"])).toMatchObject({
      code: "bad-message",
      message: expect.stringContaining("version"),
    });
  for (const value of [null, 1, [], new Uint8Array(3), "01234567890"] as Value[])
    expect(refusal([1, 3, value])).toMatchObject({ code: "bad-message", message: expect.stringContaining("name") });
  expect(refusal([1, 3])).toMatchObject({ code: "bad-message" });
  expect(refusal([1])).toMatchObject({ code: "bad-message" });
});

test("bad input 53: an unknown number is told apart from a broken message", () => {
  expect(refusal([9, 1])).toMatchObject({ code: "unknown-type" });
  expect(refusal([])).toMatchObject({ code: "bad-message" });
  expect(refusal(["hello"])).toMatchObject({ code: "bad-message" });
  expect(refusal(1)).toMatchObject({ code: "bad-message" });
});

test("a list over its row's limit is refused before it is built", () => {
  const entry = [Uint8Array.of(1, 2), null];
  expect(refusal([2, [entry, entry, entry]])).toBeNull();
  expect(refusal([2, Array.from({ length: 4 }, () => entry)])).toMatchObject({ code: "bad-message" });
  expect(refusal([2, Array.from({ length: 60 }, () => 1)])).toMatchObject({ code: "bad-message" });
});

test("a message over the table's size is neither written nor read", () => {
  const wide = table("wide", { bulk: message(0x01, { data: bytes(100) }) }, 50);
  expect(() => wide.encode({ kind: "bulk", data: new Uint8Array(100) })).toThrow(RangeError);
  expect(() => wide.decode(packValue([1, new Uint8Array(100)]))).toThrow("longer than 50 bytes");
});

test("encode() refuses what the other end would refuse", () => {
  expect(() => greetings.encode({ kind: "hello", version: 300, name: "ana" })).toThrow(RangeError);
  expect(() => greetings.encode({ kind: "hello", version: 1, name: "\ud800" })).toThrow(RangeError);
});

test("decodeAt() reads one message out of a row", () => {
  const row = Buffer.concat([
    greetings.encode({ kind: "bare" }),
    greetings.encode({ kind: "hello", version: 1, name: "b" }),
  ]);
  const first = greetings.decodeAt(row, 0);
  expect(first).toEqual({ message: { kind: "bare" }, end: 2 });
  expect(greetings.decodeAt(row, first.end).message).toEqual({ kind: "hello", version: 1, name: "b" });
});

test("numbers keep their width", () => {
  for (const [field, max] of [
    [u8, 0xff],
    [u16, 0xffff],
    [u32, 0xffff_ffff],
    [u53, Number.MAX_SAFE_INTEGER],
  ] as const) {
    expect(field.decode(max)).toBe(max);
    expect(field.decode(max + 1)).toBeUndefined();
    expect(field.decode(-1)).toBeUndefined();
    expect(field.decode(0.5)).toBeUndefined();
  }
});
