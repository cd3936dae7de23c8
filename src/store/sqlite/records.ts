import type { SQLQueryBindings, Statement } from "bun:sqlite";
import { readable, replaced } from "../record-errors.ts";
import { kindOf, lineOf, type RecordKind, type Records, requireRows, type Row, type Value } from "../records.ts";
import { type Connection, perform } from "./connection.ts";

/** Rows read at once. */
const PAGE = 1_000;

type Cell = Uint8Array | string | number | null;
type Cells = Statement<unknown, SQLQueryBindings[]>;

/** The statements of one kind, whose columns are its fields in the spelling of SQL. */
interface Table {
  readonly page: Cells;
  readonly find: Cells;
  readonly insert: Cells;
}

export class SqliteRecords implements Records {
  readonly #connection: Connection;
  readonly #tables = new Map<RecordKind, Table>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async *read(kind: RecordKind): AsyncGenerator<Row, void> {
    let after: readonly Cell[] = kindOf(kind).key.map(() => new Uint8Array());
    for (;;) {
      const page = await perform(this.#connection, "read the account store", () => this.#rows(kind, "page", after));
      for (const row of page) yield readable(this.#connection.place, kind, row);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = keyCells(kind, last);
    }
  }

  async add(kind: RecordKind, rows: readonly Row[]): Promise<void> {
    requireRows(kind, rows);
    const addAll = this.#connection.db.transaction(() => {
      for (const row of rows) this.#addOne(kind, row);
    });
    await perform(this.#connection, "add to the account store", () => addAll.immediate());
  }

  #addOne(kind: RecordKind, row: Row): void {
    const cells = Object.keys(kindOf(kind).fields).map((name) => toCell(row[name] ?? null));
    if (this.#table(kind).insert.run(...cells).changes > 0) return;
    const [present] = this.#rows(kind, "find", keyCells(kind, row));
    if (present === undefined || lineOf(kind, present) !== lineOf(kind, row))
      throw replaced(this.#connection.place, kind, row);
  }

  #rows(kind: RecordKind, by: "page" | "find", key: readonly Cell[]): readonly Row[] {
    const found = this.#table(kind)[by].values(...key);
    return found.map((cells) => toRow(kind, cells as readonly Cell[]));
  }

  #table(kind: RecordKind): Table {
    const present = this.#tables.get(kind);
    if (present !== undefined) return present;
    const made = this.#prepare(kind);
    this.#tables.set(kind, made);
    return made;
  }

  #prepare(kind: RecordKind): Table {
    const { db } = this.#connection;
    const { fields, key } = kindOf(kind);
    const { table, where } = tableOf(kind);
    const columns = list(Object.keys(fields));
    const select = `SELECT ${columns} FROM ${table} WHERE ${where}`;
    return {
      page: db.prepare(`${select} AND (${list(key)}) > (${marks(key)}) ORDER BY ${list(key)} LIMIT ${PAGE}`),
      find: db.prepare(`${select} AND (${list(key)}) = (${marks(key)})`),
      insert: db.prepare(
        `INSERT INTO ${table} (${columns}) VALUES (${marks(Object.keys(fields))}) ON CONFLICT DO NOTHING`,
      ),
    };
  }
}

/** Devices of both kinds share a table: whether one is revoked is a column of it. */
export function tableOf(kind: RecordKind): { readonly table: string; readonly where: string } {
  if (kind === "devices") return { table: "devices", where: "revoked_at_ms IS NULL" };
  if (kind === "revokedDevices") return { table: "devices", where: "revoked_at_ms IS NOT NULL" };
  return { table: columnOf(kind), where: "TRUE" };
}

/** `createdAtMs` is `created_at_ms`. */
export function columnOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function list(names: readonly string[]): string {
  return names.map(columnOf).join(", ");
}

function marks(names: readonly string[]): string {
  return names.map((_, index) => `?${index + 1}`).join(", ");
}

function keyCells(kind: RecordKind, row: Row): readonly Cell[] {
  return kindOf(kind).key.map((name) => toCell(row[name] ?? null));
}

function toRow(kind: RecordKind, cells: readonly Cell[]): Row {
  const values = Object.entries(kindOf(kind).fields).map(([name, { holds }], column) => {
    const cell = cells[column] ?? null;
    return [name, holds === "flag" ? cell === 1 : cell];
  });
  return Object.fromEntries(values) as Row;
}

function toCell(value: Value): Cell {
  return typeof value === "boolean" ? Number(value) : value;
}
