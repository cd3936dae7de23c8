import type { AccountStore } from "./accounts.ts";
import { StoreError } from "./errors.ts";
import type { SharedStores } from "./shared.ts";
import type { OnTrouble } from "./trouble.ts";

export interface StoreOptions {
  /** Hears of what the store goes on without. By default nobody does. */
  readonly onTrouble?: OnTrouble;
}

/** Each back end is loaded when it is named, so that nobody pays for a database driver that he does not use. */
interface BackEnd<Store> {
  /** What the person writes. */
  readonly form: string;
  readonly open: (place: Place, onTrouble: OnTrouble) => Promise<Store>;
}

interface Place {
  readonly url: string;
  /** What follows the scheme and its colon. */
  readonly rest: string;
}

const mongodb = { form: "mongodb://…", open: openMongodb };

const accountBackEnds = new Map<string, BackEnd<AccountStore>>([
  ["sqlite", { form: "sqlite:PATH", open: openSqlite }],
  ["mongodb", mongodb],
  ["mongodb+srv", mongodb],
  ["memory", { form: "memory:", open: openMemory }],
]);

const redis = { form: "redis://…", open: openRedisStores };

const sharedBackEnds = new Map<string, BackEnd<SharedStores>>([
  ["redis", redis],
  ["rediss", redis],
  ["redis+cluster", redis],
  ["rediss+cluster", redis],
  ["redis+sentinel", redis],
  ["rediss+sentinel", redis],
  ["memory", { form: "memory:", open: openSharedInMemory }],
]);

/**
 * @param url `sqlite:PATH`, `mongodb://…`, `mongodb+srv://…` or `memory:`
 * @throws StoreError `config` for another scheme or form; what the back end says when it cannot open
 */
export async function openAccountStore(url: string, options: StoreOptions = {}): Promise<AccountStore> {
  return open("account store", accountBackEnds, url, options);
}

/** Looks at the accounts in an existing SQLite file, and only looks. @throws StoreError what `openAccountStore` would say */
export async function inspectAccountFile(path: string): Promise<void> {
  const { inspectDatabaseFile } = await import("./sqlite/database-file.ts");
  return inspectDatabaseFile(path);
}

/** Looks at the accounts behind a `mongodb://…` URL, and only looks. @returns whether anybody has one @throws StoreError as above */
export async function inspectAccountDatabase(url: string): Promise<boolean> {
  const { inspectMongoAccounts } = await import("./mongodb/account-store.ts");
  return inspectMongoAccounts(url);
}

/**
 * Presence, the bus between nodes and their rate limits, which live in one place.
 * @param url `memory:` for a server of one process; `redis://…`, `redis+cluster://…` or `redis+sentinel://…`, each also with
 * `rediss`, as redis/url.ts has them
 * @throws StoreError `config` for another scheme or form; what the back end says when it cannot open
 */
export async function openSharedStores(url: string, options: StoreOptions = {}): Promise<SharedStores> {
  return open("presence store", sharedBackEnds, url, options);
}

/** Repeats no more of the URL than its scheme: the rest may hold a password. */
async function open<Store>(
  what: string,
  backEnds: ReadonlyMap<string, BackEnd<Store>>,
  url: string,
  { onTrouble = () => {} }: StoreOptions,
): Promise<Store> {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const backEnd = backEnds.get(scheme.toLowerCase());
  const hint = `use ${[...new Set(backEnds.values())].map(({ form }) => form).join(" or ")}`;
  const fail = (state: string) => new StoreError("config", `cannot open the ${what}: ${state}`, { hint });
  if (backEnd === undefined) throw fail(scheme === "" ? "its URL has no scheme" : `the scheme ${scheme}: is unknown`);
  if (backEnd.form.endsWith(":") !== (rest === ""))
    throw fail(`${scheme}: ${rest === "" ? "names no place" : "takes no place"}`);
  return backEnd.open({ url, rest }, onTrouble);
}

async function openSqlite({ rest }: Place): Promise<AccountStore> {
  const { openAccountFile } = await import("./sqlite/account-store.ts");
  return openAccountFile(rest);
}

async function openMongodb({ url }: Place, onTrouble: OnTrouble): Promise<AccountStore> {
  const { openMongoAccounts } = await import("./mongodb/account-store.ts");
  return openMongoAccounts(url, onTrouble);
}

async function openMemory(): Promise<AccountStore> {
  const { openAccountsInMemory } = await import("./sqlite/account-store.ts");
  return openAccountsInMemory();
}

async function openRedisStores({ url }: Place, onTrouble: OnTrouble): Promise<SharedStores> {
  const { openRedis } = await import("./redis/shared-stores.ts");
  return openRedis(url, onTrouble);
}

async function openSharedInMemory(): Promise<SharedStores> {
  const { openSharedMemory } = await import("./memory/shared-stores.ts");
  return openSharedMemory();
}
