import type { AccountStore } from "../../store/accounts.ts";
import { kindsInOrder, lineOf, type RecordKind, type Row } from "../../store/records.ts";
import { type Pair, sideBySide } from "../../store/side-by-side.ts";
import { differs, isAnother, isForeign, isInUse, isProblem, nothingThere, writtenTo } from "./migration-errors.ts";
import { ended, newTallying, type Tallies } from "./migration-tally.ts";

/** A store and how a person knows it, without credentials. */
export interface Side {
  readonly store: AccountStore;
  readonly place: string;
}

export interface MigrationOptions {
  /** What has expired by then is left out: nobody would miss it. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: MigrationProgress) => void;
}

export interface MigrationProgress {
  readonly step: "reading" | "copying" | "checking";
  readonly done: number;
  /** Null while it is not known. */
  readonly total: number | null;
}

/** What both sides hold in the end. */
export interface Migrated {
  readonly tallies: Tallies;
  /** How many of the records an earlier run had copied. */
  readonly alreadyThere: number;
  readonly generation: number;
}

/** Records written at once, and walked between two looks at the signal. */
const BATCH = 1_000;

/**
 * Copies all of `from` into `to`, which is empty or holds what an earlier run left there, and compares both. It may be ended at any
 * moment and run again. The generation comes last: a server that finds it too low signs everybody out, so that half a copy is never
 * taken for the whole.
 * @throws UserError `config` before the first write when `to` holds anything else, and when the two differ in the end; the signal's reason
 */
export async function migrate(from: Side, to: Side, options: MigrationOptions): Promise<Migrated> {
  const generation = await from.store.generation();
  const found = await to.store.generation();
  if (found > generation) throw isInUse(to.place, found, generation);
  const move = new Move(from, to, options);
  const { tallies, missing, alreadyThere } = await move.survey();
  await move.copy(missing);
  await move.compare(tallies);
  if ((await from.store.generation()) !== generation) throw writtenTo(from.place);
  const [problem] = await to.store.check();
  if (problem !== undefined) throw isProblem(to.place, problem);
  if (found < generation) await to.store.bumpGeneration(generation - 1);
  return { tallies, alreadyThere, generation };
}

class Move {
  readonly #from: Side;
  readonly #to: Side;
  readonly #options: MigrationOptions;

  constructor(from: Side, to: Side, options: MigrationOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
  }

  /** Looks at all there is on both sides, and writes nothing. */
  async survey(): Promise<{ tallies: Tallies; missing: number; alreadyThere: number }> {
    const tallying = newTallying();
    let [missing, alreadyThere] = [0, 0];
    for await (const { kind, left, right } of this.#walk("reading", null)) {
      this.#requireSame(kind, { left, right });
      if (left !== null) tallying[kind].add(lineOf(kind, left));
      if (right === null) missing++;
      else alreadyThere++;
    }
    if (missing + alreadyThere === 0) throw nothingThere(this.#from.place);
    return { tallies: ended(tallying), missing, alreadyThere };
  }

  async copy(total: number): Promise<void> {
    const batch: Row[] = [];
    let of: RecordKind = "accounts";
    const write = async () => {
      this.#options.signal.throwIfAborted();
      await this.#to.store.records.add(of, batch.splice(0));
    };
    for await (const { kind, left, right } of this.#walk("copying", total, (pair) => pair.right === null)) {
      this.#requireSame(kind, { left, right });
      if (batch.length === BATCH || kind !== of) await write();
      of = kind;
      if (left !== null && right === null) batch.push(left);
    }
    await write();
  }

  /** @param before what the source held when the copy began */
  async compare(before: Tallies): Promise<void> {
    const total = Object.values(before).reduce((sum, { count }) => sum + count, 0);
    const [lefts, rights] = [newTallying(), newTallying()];
    for await (const { kind, left, right } of this.#walk("checking", total)) {
      if (left !== null) lefts[kind].add(lineOf(kind, left));
      if (right !== null) rights[kind].add(lineOf(kind, right));
    }
    const [source, target] = [ended(lefts), ended(rights)];
    for (const kind of kindsInOrder) {
      if (source[kind].digest !== before[kind].digest) throw writtenTo(this.#from.place);
      if (target[kind].digest !== source[kind].digest) throw differs(this.#to.place, this.#from.place, kind);
    }
  }

  /** Kind by kind, with a look at the rest of the world now and then. @param counts which pairs make progress */
  async *#walk(
    step: MigrationProgress["step"],
    total: number | null,
    counts: (pair: Pair) => boolean = () => true,
  ): AsyncGenerator<Pair & { readonly kind: RecordKind }, void> {
    const { signal, nowMs, onProgress } = this.#options;
    let [walked, done] = [0, 0];
    for (const kind of kindsInOrder) {
      const both = [this.#from, this.#to].map(({ store }) => unexpired(store.records.read(kind), nowMs));
      const [left = none(), right = none()] = both;
      for await (const pair of sideBySide(kind, left, right)) {
        if (walked++ % BATCH === 0) {
          onProgress({ step, done, total });
          await turnOfOthers();
          signal.throwIfAborted();
        }
        if (counts(pair)) done++;
        yield { ...pair, kind };
      }
    }
  }

  /** @throws UserError when the target has a record that is not the source's */
  #requireSame(kind: RecordKind, { left, right }: Pair): void {
    if (right === null) return;
    if (left === null) throw isForeign(this.#to.place, this.#from.place, kind, right);
    if (lineOf(kind, left) !== lineOf(kind, right)) throw isAnother(this.#to.place, this.#from.place, kind, right);
  }
}

async function* unexpired(rows: AsyncIterable<Row>, nowMs: number): AsyncGenerator<Row, void> {
  for await (const row of rows) if (Number(row["expiresAtMs"] ?? Infinity) > nowMs) yield row;
}

async function* none(): AsyncGenerator<Row, void> {}

/** Signals are heard between two turns, of which reading a file takes none. */
function turnOfOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
