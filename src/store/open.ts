import type { AccountStore } from "./accounts.ts";
import { StoreError } from "./errors.ts";
import type { PresenceStore } from "./presence.ts";

/** Each back end is loaded when it is named, so that nobody pays for a database driver that he does not use. */
interface BackEnd<Store> {
  /** What the person writes. */
  readonly form: string;
  /** @param rest what follows the scheme and its colon */
  open(rest: string): Promise<Store>;
}

const accountBackEnds = new Map<string, BackEnd<AccountStore>>([
  ["sqlite", { form: "sqlite:PATH", open: openSqlite }],
  ["memory", { form: "memory:", open: openMemory }],
]);

const presenceBackEnds = new Map<string, BackEnd<PresenceStore>>([["memory", { form: "memory:", open: openPresence }]]);

/**
 * @param url `sqlite:PATH` or `memory:`
 * @throws StoreError `config` for another scheme or form; what the back end says when it cannot open
 */
export async function openAccountStore(url: string): Promise<AccountStore> {
  return open("account store", accountBackEnds, url);
}

/**
 * @param url `memory:`
 * @throws StoreError `config` for another scheme or form; what the back end says when it cannot open
 */
export async function openPresenceStore(url: string): Promise<PresenceStore> {
  return open("presence store", presenceBackEnds, url);
}

/** Repeats no more of the URL than its scheme: the rest may hold a password. */
async function open<Store>(what: string, backEnds: ReadonlyMap<string, BackEnd<Store>>, url: string): Promise<Store> {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const backEnd = backEnds.get(scheme.toLowerCase());
  const hint = `use ${[...backEnds.values()].map(({ form }) => form).join(" or ")}`;
  const fail = (state: string) => new StoreError("config", `cannot open the ${what}: ${state}`, { hint });
  if (backEnd === undefined) throw fail(scheme === "" ? "its URL has no scheme" : `the scheme ${scheme}: is unknown`);
  if (backEnd.form.endsWith(":") !== (rest === ""))
    throw fail(`${scheme}: ${rest === "" ? "names no place" : "takes no place"}`);
  return backEnd.open(rest);
}

async function openSqlite(path: string): Promise<AccountStore> {
  const { openAccountFile } = await import("./sqlite/account-store.ts");
  return openAccountFile(path);
}

async function openMemory(): Promise<AccountStore> {
  const { openAccountsInMemory } = await import("./sqlite/account-store.ts");
  return openAccountsInMemory();
}

async function openPresence(): Promise<PresenceStore> {
  const { MemoryPresenceStore } = await import("./memory/presence-store.ts");
  return new MemoryPresenceStore();
}
