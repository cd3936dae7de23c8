import { compareBytes } from "../wire/bytes.ts";
import { keyOf, type RecordKind, type Row } from "./records.ts";

/** What stands under one key on both sides; at least one of them is a record. */
export interface Pair {
  readonly left: Row | null;
  readonly right: Row | null;
}

/** Walks two readings of one kind together, each in order of its key. */
export async function* sideBySide(
  kind: RecordKind,
  left: AsyncIterable<Row>,
  right: AsyncIterable<Row>,
): AsyncGenerator<Pair, void> {
  await using lefts = new Reading(kind, left);
  await using rights = new Reading(kind, right);
  await Promise.all([lefts.next(), rights.next()]);
  for (;;) {
    const order = lefts.compare(rights);
    if (order === null) return;
    yield { left: order <= 0 ? lefts.row : null, right: order >= 0 ? rights.row : null };
    if (order <= 0) await lefts.next();
    if (order >= 0) await rights.next();
  }
}

/** One reading and where it stands. */
class Reading implements AsyncDisposable {
  row: Row | null = null;
  readonly #kind: RecordKind;
  readonly #rows: AsyncIterator<Row>;
  #key: Uint8Array | null = null;

  constructor(kind: RecordKind, rows: AsyncIterable<Row>) {
    this.#kind = kind;
    this.#rows = rows[Symbol.asyncIterator]();
  }

  async next(): Promise<void> {
    const next: IteratorResult<Row, unknown> = await this.#rows.next();
    this.row = next.done === true ? null : next.value;
    this.#key = this.row === null ? null : keyOf(this.#kind, this.row);
  }

  /** @returns whose key comes first, as `compareBytes` tells it; null when both are at their end */
  compare(other: Reading): number | null {
    if (this.#key === null) return other.#key === null ? null : 1;
    return other.#key === null ? -1 : compareBytes(this.#key, other.#key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rows.return?.();
  }
}
