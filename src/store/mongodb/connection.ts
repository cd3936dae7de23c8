import type { Db, MongoClient } from "mongodb";
import { StoreError } from "../errors.ts";
import { type Collections, collectionsOf } from "./collections.ts";
import { type CallOptions, withDeadline } from "./deadline.ts";
import { explain } from "./errors.ts";

/** How long a method may take in all, so that a person who signs in hears within 3 s that the database is away. */
export const OPERATION_MS = 2_000;
/** After so long without an answer the driver is made anew, at most as often. */
const RENEW_MS = 2_500;
const GOODBYE_MS = 1_000;

/**
 * The way to one database. A driver whose connections were cut at a bad moment may wait for ever for a monitor of its own that
 * never settles (seen on Bun, about once in ten deaths of a database under load): what has had no answer for a while is made
 * anew.
 */
export class Connection implements AsyncDisposable {
  /** Hosts and database, without credentials. */
  readonly place: string;
  readonly #makeDatabase: () => Db;
  readonly #now: () => number;
  #db: Db;
  #collections: Collections;
  #answeredAt: number;

  /** @param makeDatabase each time one of a client of its own that has not connected yet */
  constructor(place: (db: Db) => string, makeDatabase: () => Db, now: () => number = () => performance.now()) {
    this.#makeDatabase = makeDatabase;
    this.#now = now;
    this.#db = makeDatabase();
    this.#collections = collectionsOf(this.#db);
    this.#answeredAt = now();
    this.place = place(this.#db);
  }

  get db(): Db {
    return this.#db;
  }

  get collections(): Collections {
    return this.#collections;
  }

  noteAnswer(): void {
    this.#answeredAt = this.#now();
  }

  noteSilence(): void {
    if (this.#now() - this.#answeredAt < RENEW_MS) return;
    const { client } = this.#db;
    this.#db = this.#makeDatabase();
    this.#collections = collectionsOf(this.#db);
    this.#answeredAt = this.#now();
    setTimeout(() => void close(client), OPERATION_MS).unref(); // others may still be at it
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await close(this.#db.client);
  }
}

/**
 * Runs the driver calls of one method, all under one deadline. The driver itself repeats what is safe to repeat: reads,
 * and writes where the database recognises a second try; nothing is repeated here.
 * @param action as in "cannot ACTION: …"
 * @throws StoreError `busy`, `disk-full`
 */
export async function perform<T>(
  connection: Connection,
  action: string,
  work: (call: CallOptions) => Promise<T>,
  deadlineMs = OPERATION_MS,
): Promise<T> {
  try {
    const result = await withDeadline(deadlineMs, work);
    connection.noteAnswer();
    return result;
  } catch (error) {
    const explained = explain(connection.place, action, error);
    if (explained instanceof StoreError && explained.code === "busy") connection.noteSilence();
    else connection.noteAnswer();
    throw explained;
  }
}

/** Never waits for a database that is silent. */
async function close(client: MongoClient): Promise<void> {
  await withDeadline(GOODBYE_MS, () => client.close()).catch(() => {});
}
