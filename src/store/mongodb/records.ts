import { type Binary, MongoBulkWriteError } from "mongodb";
import { toHex } from "../../wire/bytes.ts";
import { readable, replaced } from "../record-errors.ts";
import { keyOf, lineOf, type RecordKind, type Records, requireRows, type Row } from "../records.ts";
import { sideBySide } from "../side-by-side.ts";
import { type Connection, perform } from "./connection.ts";
import type { CallOptions } from "./deadline.ts";
import { binary, bytesIn } from "./documents.ts";
import { isDuplicate } from "./errors.ts";
import { type RecordDocument, toDocument, toRow } from "./record-documents.ts";
import { Revocation } from "./revocation.ts";
import { BULK_MS, documentsOf } from "./scan.ts";

const ADD = "add to the account store";
/** A replica may take its time over so much at once. */
const writeConcern = { w: "majority", journal: true, wtimeoutMS: BULK_MS } as const;

export class MongoRecords implements Records {
  readonly #connection: Connection;
  readonly #revocation: Revocation;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#revocation = new Revocation(connection);
  }

  read(kind: RecordKind): AsyncIterable<Row> {
    return kind === "devices" ? this.#unrevoked() : this.#stored(kind);
  }

  async add(kind: RecordKind, rows: readonly Row[]): Promise<void> {
    requireRows(kind, rows);
    if (rows.length === 0) return;
    const documents = rows.map((row) => toDocument(kind, row));
    const work = async (call: CallOptions) => {
      await this.#refuseTwins(kind, rows, call);
      await this.#insert(kind, documents, call).catch(async (error: unknown) => {
        if (!isOfDuplicatesAlone(error)) throw error;
        await this.#requireSame(kind, rows, call);
      });
    };
    await perform(this.#connection, ADD, work, BULK_MS);
  }

  async *#stored(kind: RecordKind): AsyncGenerator<Row, void> {
    for await (const document of documentsOf(this.#connection, "read the account store", kind))
      yield readable(this.#connection.place, kind, toRow(kind, document));
  }

  /** What a node that died left half revoked counts as revoked, and stays as it is. */
  async *#unrevoked(): AsyncGenerator<Row, void> {
    const revoked = this.#stored("revokedDevices");
    for await (const { left, right } of sideBySide("devices", this.#stored("devices"), revoked))
      if (left !== null && right === null) yield left;
  }

  async #insert(kind: RecordKind, documents: RecordDocument[], call: CallOptions): Promise<void> {
    const collection = this.#connection.db.collection<RecordDocument>(kind);
    await collection.insertMany(documents, { ...call, writeConcern, ordered: false });
  }

  /** A device is in one of two collections, each of which would take it. */
  async #refuseTwins(kind: RecordKind, rows: readonly Row[], call: CallOptions): Promise<void> {
    if (kind !== "devices" && kind !== "revokedDevices") return;
    const { devices, revokedDevices } = this.#connection.collections;
    const filter = idsIn(kind, rows);
    const found =
      kind === "devices"
        ? await revokedDevices.find(filter, call).toArray()
        : await this.#revocation.living(await devices.find(filter, call).toArray(), call);
    const twins = new Set(found.map(({ _id }) => toHex(bytesIn(_id))));
    const twin = rows.find((row) => twins.has(toHex(keyOf(kind, row))));
    if (twin !== undefined) throw replaced(this.#connection.place, kind, twin);
  }

  async #requireSame(kind: RecordKind, rows: readonly Row[], call: CallOptions): Promise<void> {
    const collection = this.#connection.db.collection<RecordDocument>(kind);
    const found = await collection.find(idsIn(kind, rows), call).toArray();
    const present = new Set(found.map((document) => lineOf(kind, toRow(kind, document))));
    const other = rows.find((row) => !present.has(lineOf(kind, row)));
    if (other !== undefined) throw replaced(this.#connection.place, kind, other);
  }
}

function idsIn(kind: RecordKind, rows: readonly Row[]): { readonly _id: { readonly $in: Binary[] } } {
  return { _id: { $in: rows.map((row) => binary(keyOf(kind, row))) } };
}

/** A bulk write tells of its first failure as its own; the others may be of another kind. */
function isOfDuplicatesAlone(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) return false;
  const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return isDuplicate(error) && failures.every(({ code }) => code === error.code);
}
