import { kindsInOrder, type RecordKind } from "../../store/records.ts";
import { toHex, utf8 } from "../../wire/bytes.ts";
import { createSha256 } from "../../wire/noise/primitives.ts";

export interface Tally {
  readonly count: number;
  /** SHA-256, in hex, over the records in order of their keys, a line each. */
  readonly digest: string;
}

export type Tallies = Readonly<Record<RecordKind, Tally>>;

/** Counts records as they pass, and digests them. */
export class Tallying {
  #count = 0;
  readonly #hasher = createSha256();

  add(line: string): void {
    this.#count++;
    this.#hasher.update(utf8(`${line}\n`));
  }

  end(): Tally {
    return { count: this.#count, digest: toHex(this.#hasher.digest()) };
  }
}

export function newTallying(): Record<RecordKind, Tallying> {
  return mapKinds(() => new Tallying());
}

export function ended(tallying: Readonly<Record<RecordKind, Tallying>>): Tallies {
  return mapKinds((kind) => tallying[kind].end());
}

function mapKinds<T>(make: (kind: RecordKind) => T): Record<RecordKind, T> {
  const entries = kindsInOrder.map((kind) => [kind, make(kind)] as const);
  return Object.fromEntries(entries) as Record<RecordKind, T>;
}
