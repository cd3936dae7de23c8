import { expect, test } from "bun:test";
import { Echoes } from "../../../../src/wire/session/echoes.ts";

const chunk = (offset: number, length = 50) => ({ stream: 2, offset, length, fin: false });
const yes = () => true;

test("Echoes gives what was said once more, 8 ms later, in order and once", () => {
  const echoes = new Echoes();
  for (const at of [0, 3]) echoes.onSent(at, chunk(at));
  expect(echoes.take(7.9, yes, yes)).toBeNull();
  expect(echoes.take(8, yes, yes)).toEqual(chunk(0));
  expect(echoes.take(8, yes, yes)).toBeNull();
  expect(echoes.take(500, yes, yes)).toEqual(chunk(3));
  expect(echoes.take(500, yes, yes)).toBeNull();
});

test("Echoes passes over what has arrived, and keeps what does not fit for the next packet", () => {
  const echoes = new Echoes();
  for (const offset of [0, 100, 200]) echoes.onSent(0, chunk(offset));
  expect(
    echoes.take(
      10,
      ({ offset }) => offset > 0,
      () => false,
    ),
  ).toBeNull();
  expect(echoes.take(10, yes, yes)).toEqual(chunk(100));
  expect(echoes.take(10, () => false, yes)).toBeNull();
  expect(echoes.take(10, yes, yes)).toBeNull();
});

test("Echoes leaves out what is long, and keeps the last 32", () => {
  const echoes = new Echoes();
  echoes.onSent(0, chunk(7, 601));
  for (let offset = 100; offset < 140; offset++) echoes.onSent(0, chunk(offset, 600));
  const taken: number[] = [];
  for (let next = echoes.take(8, yes, yes); next !== null; next = echoes.take(8, yes, yes)) taken.push(next.offset);
  expect(taken).toEqual(Array.from({ length: 32 }, (_, index) => 108 + index));
});
