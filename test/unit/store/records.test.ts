import { expect, test } from "bun:test";
import { keyOf, kindsInOrder, lineOf, recordKinds, type Row, titleOf } from "../../../src/store/records.ts";
import { type Pair, sideBySide } from "../../../src/store/side-by-side.ts";
import { openDatabaseInMemory } from "../../../src/store/sqlite/database-file.ts";
import { columnOf, SqliteRecords, tableOf } from "../../../src/store/sqlite/records.ts";
import { toHex } from "../../../src/wire/bytes.ts";

/** Not copied: the schema's own, and the generation, which no store takes from another as it is. */
const keptBack = ["meta"];

test("recordKinds has every table and every column that there is", () => {
  const { db } = openDatabaseInMemory();
  const tables = db.prepare<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const known = kindsInOrder.map((kind) => tableOf(kind).table);
  expect(new Set(tables.map(({ name }) => name))).toEqual(new Set([...known, ...keptBack]));
  for (const kind of kindsInOrder) {
    const columns = db.prepare<{ name: string }, []>(`PRAGMA table_info(${tableOf(kind).table})`).all();
    const left = kind === "devices" ? ["revoked_at_ms"] : [];
    const fields = Object.keys(recordKinds[kind].fields).map(columnOf);
    expect([kind, new Set([...fields, ...left])]).toEqual([kind, new Set(columns.map(({ name }) => name))]);
  }
});

test("lineOf() is the same whatever the order of the fields, and tells every value apart", () => {
  const row = { userId: id(1), blockedUserId: id(2) };
  expect(lineOf("blocks", row)).toBe(`["${"01".repeat(16)}","${"02".repeat(16)}"]`);
  expect(lineOf("blocks", { blockedUserId: id(2), userId: id(1) })).toBe(lineOf("blocks", row));
  expect(lineOf("blocks", { userId: id(2), blockedUserId: id(1) })).not.toBe(lineOf("blocks", row));
});

test("keyOf() joins the parts of a key, and titleOf() names a record without its secrets", () => {
  expect(toHex(keyOf("blocks", { userId: id(1), blockedUserId: id(2) }))).toBe("01".repeat(16) + "02".repeat(16));
  expect(titleOf("accounts", { userId: id(1), name: "ana" })).toBe('account "ana"');
  expect(titleOf("resets", { tokenHash: new Uint8Array(32).fill(3) })).toBe("password reset 03030303");
});

test("read() refuses a record that no store writes, and names what is wrong with it", async () => {
  const connection = openDatabaseInMemory();
  connection.db.run("INSERT INTO blocks (user_id, blocked_user_id) VALUES (x'01', x'02')");
  const reading = Array.fromAsync(new SqliteRecords(connection).read("blocks"));
  const message = expect.stringContaining("is damaged (userId of the block is not 16 bytes)");
  expect(await reading.catch((error: unknown) => error)).toMatchObject({ code: "config", message });
});

test("sideBySide() pairs what stands under one key, and leaves nothing out on either side", async () => {
  const [left, right] = [
    [1, 2, 4, 9],
    [2, 3, 4, 5],
  ] as const;
  const pairs = await Array.fromAsync(sideBySide("resets", rows(left), rows(right)));
  expect(pairs.map(numbers)).toEqual([
    [1, null],
    [2, 2],
    [null, 3],
    [4, 4],
    [null, 5],
    [9, null],
  ]);
  expect(await Array.fromAsync(sideBySide("resets", rows([]), rows([])))).toEqual([]);
});

test("sideBySide() ends both readings when it is left in the middle", async () => {
  const ended: string[] = [];
  async function* endless(name: string): AsyncGenerator<Row> {
    try {
      for (let number = 0; ; number++) yield reset(number % 256);
    } finally {
      ended.push(name);
    }
  }
  for await (const pair of sideBySide("resets", endless("left"), endless("right"))) {
    expect(numbers(pair)).toEqual([0, 0]);
    break;
  }
  expect(ended).toEqual(["right", "left"]);
});

async function* rows(all: readonly number[]): AsyncGenerator<Row> {
  yield* all.map(reset);
}

function numbers({ left, right }: Pair): readonly (number | null)[] {
  return [left, right].map((row) => (row === null ? null : Number(row["expiresAtMs"])));
}

function reset(number: number): Row {
  return { tokenHash: new Uint8Array(32).fill(number), userId: id(number), expiresAtMs: number };
}

function id(byte: number): Uint8Array {
  return new Uint8Array(16).fill(byte);
}
