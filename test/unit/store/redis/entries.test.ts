import { expect, test } from "bun:test";
import fc from "fast-check";
import { utf8 } from "../../../../src/wire/bytes.ts";
import {
  decodeEntry,
  decodeNews,
  decodeNode,
  decodePerson,
  encodeEntry,
  encodeNode,
} from "../../../../src/store/redis/entries.ts";
import { channel, randomBytes } from "../../../contract/samples.ts";

const text = fc.string({ unit: "binary", maxLength: 20 }).filter((each) => each.isWellFormed());

test("decodeEntry() gives what encodeEntry() was given, whatever the text in it", () => {
  fc.assert(
    fc.property(text, text, fc.option(fc.array(text, { maxLength: 16 })), (name, nodeId, forNames) => {
      const entry = channel(name, { nodeId, forNames, invisible: name.length % 2 === 0 });
      expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
      expect(decodeNode(encodeNode(nodeId))).toBe(nodeId);
    }),
  );
});

test("decodeEntry() gives null for what is none of ours", () => {
  const good = encodeEntry(channel("ana"));
  for (const bad of [
    "",
    "null",
    "{}",
    "[]",
    good.slice(1),
    good.replace('"a":3', '"a":99'),
    good.replace('"n":"ana"', '"n":1'),
  ])
    expect(decodeEntry(bad)).toBeNull();
});

test("decodePerson() splits at the last zero byte, and gives nobody for what is no member of ours", () => {
  const userId = randomBytes(16);
  expect(decodePerson(`a\0b\0${userId.toHex()}`)).toEqual([{ name: "a\0b", userId }]);
  expect(decodePerson("ana")).toEqual([]);
});

test("decodeNews() takes what the scripts tell and nothing else", () => {
  const userId = randomBytes(16);
  const told = `["1.2",7,[["${userId.toHex()}","ana",true]]]`;
  expect(decodeNews(utf8(told))).toEqual({ epoch: "1.2", count: 7, changes: [{ userId, name: "ana", online: true }] });
  for (const bad of ['["1",2]', '["1","2",[]]', '["1",2,[["zz","ana",true]]]', '["1",2,[["aa","ana",1]]]', "null", "["])
    expect(decodeNews(utf8(bad))).toBeNull();
  expect(decodeNews(new Uint8Array(1_048_577))).toBeNull();
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(() => decodeNews(utf8(json))).not.toThrow();
    }),
  );
});
