import { type Db, MongoClient } from "mongodb";
import type { AccountStore } from "../accounts.ts";
import { requireTime } from "../checks.ts";
import { StoreError } from "../errors.ts";
import { REVOKED_KEPT_MS } from "../limits.ts";
import type { OnTrouble } from "../trouble.ts";
import { MongoAccounts } from "./accounts.ts";
import { MongoBlocks } from "./blocks.ts";
import { Connection, perform } from "./connection.ts";
import { MongoDevices } from "./devices.ts";
import { refusesCredentials } from "./errors.ts";
import { Generations } from "./generations.ts";
import { problemsIn } from "./inspection.ts";
import { MongoInvitations } from "./invitations.ts";
import { MongoRecords } from "./records.ts";
import { MongoResets } from "./resets.ts";
import { prepareSchema } from "./schema.ts";

/** Where the URL names no database. */
const DATABASE = "p2p";
const MAX_PROBLEMS = 20;

/** What we rely on stands here and not in the URL: nothing acknowledged is lost, nothing stale is read, nothing waits long. */
const options = {
  appName: "p2p",
  writeConcern: { w: "majority", journal: true, wtimeoutMS: 2_000 },
  readPreference: "primary",
  serverSelectionTimeoutMS: 1_500,
  connectTimeoutMS: 2_000,
  heartbeatFrequencyMS: 2_000,
} as const;

/**
 * @param url `mongodb://…` or `mongodb+srv://…`, as the driver takes it; the database is the path, else `p2p`
 * @throws StoreError `config` when the URL, the user or the schema cannot be used, `busy` when nobody answers
 */
export async function openMongoAccounts(url: string, onTrouble: OnTrouble): Promise<AccountStore> {
  const connection = connect(url);
  try {
    await prepareSchema(connection, onTrouble);
    return new MongoAccountStore(connection);
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw isRefusal(error) ? refused(connection.place) : error;
  }
}

/**
 * Looks at the accounts, and only looks. @returns whether anybody has one
 * @throws StoreError `config` when the URL or the user cannot be used, `busy` when nobody answers
 */
export async function inspectMongoAccounts(url: string): Promise<boolean> {
  await using connection = connect(url);
  try {
    const { accounts } = connection.collections;
    return (await perform(connection, "open the account store", (call) => accounts.findOne({}, call))) !== null;
  } catch (error) {
    throw isRefusal(error) ? refused(connection.place) : error;
  }
}

export class MongoAccountStore implements AccountStore {
  readonly accounts: MongoAccounts;
  readonly devices: MongoDevices;
  readonly invitations: MongoInvitations;
  readonly blocks: MongoBlocks;
  readonly resets: MongoResets;
  readonly records: MongoRecords;
  readonly #connection: Connection;
  readonly #generations: Generations;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.accounts = new MongoAccounts(connection);
    this.devices = new MongoDevices(connection);
    this.invitations = new MongoInvitations(connection);
    this.blocks = new MongoBlocks(connection);
    this.resets = new MongoResets(connection);
    this.records = new MongoRecords(connection);
    this.#generations = new Generations(connection);
  }

  async generation(): Promise<number> {
    return this.#generations.highest();
  }

  async bumpGeneration(above = 0): Promise<number> {
    return this.#generations.raise(above);
  }

  async sweep(nowMs: number): Promise<void> {
    const expired = { expiresAtMs: { $lte: requireTime("now", nowMs) } };
    for (const of of ["invitations", "resets", "redeemedResets"] as const)
      await perform(this.#connection, "sweep the account store", (call) =>
        this.#connection.collections[of].deleteMany(expired, call),
      );
    await this.devices.sweep(nowMs - REVOKED_KEPT_MS);
    await this.#generations.sweep();
  }

  async check(): Promise<readonly string[]> {
    return problemsIn(this.#connection, MAX_PROBLEMS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }
}

/** Talks to nobody yet. What the driver says of a URL may repeat it, password and all, and is not passed on. */
function connect(url: string): Connection {
  const name = namesDatabase(url) ? undefined : DATABASE;
  try {
    return new Connection(placeName, () => new MongoClient(url, options).db(name));
  } catch {
    throw new StoreError("config", "cannot open the account store: its URL is not understood", {
      hint: "write mongodb://USER:PASSWORD@HOST:27017/DATABASE, with %40 for an @ in the password",
    });
  }
}

function placeName({ client, databaseName }: Db): string {
  const { hosts, srvHost } = client.options;
  const where = srvHost ?? hosts.map((host) => host.toString()).join(",");
  return `MongoDB at ${where} (database ${databaseName})`;
}

function namesDatabase(url: string): boolean {
  return /^[^:]+:\/\/[^/?]*\/[^?]/.test(url);
}

function isRefusal(error: unknown): boolean {
  return error instanceof StoreError && refusesCredentials(error.cause);
}

function refused(place: string): StoreError {
  return new StoreError("config", `cannot open the account store: ${place} refuses the user or password`, {
    hint: "check user, password and authSource in the URL",
  });
}
