import type { AccountStore } from "../../store/accounts.ts";
import { StoreError } from "../../store/errors.ts";
import { openAccountStore, openSharedStores } from "../../store/open.ts";
import type { SharedStores } from "../../store/shared.ts";
import type { OnTrouble } from "../../store/trouble.ts";
import { UserError } from "../cli/errors.ts";
import { usageError } from "../cli/problem.ts";
import type { Settings } from "../cli/settings.ts";
import { readPrivateFile } from "../runtime/private-file.ts";
import type { DataFolder } from "./data-folder.ts";

type StoreSettings = Pick<Settings, "get" | "origin">;

/** The accounts that the settings name, by default those of the data folder. @throws UserError when they cannot be opened */
export async function openAccounts(
  data: DataFolder,
  settings: StoreSettings,
  onTrouble: OnTrouble,
): Promise<AccountStore> {
  const url = storeUrl("accounts", settings) ?? `sqlite:${data.accounts}`;
  return explained(() => openAccountStore(url, { onTrouble }));
}

/** What the nodes share, as the settings name it, by default nothing but this process. @throws UserError as above */
export async function openShared(settings: StoreSettings, onTrouble: OnTrouble): Promise<SharedStores> {
  return explained(() => openSharedStores(storeUrl("presence", settings) ?? "memory:", { onTrouble }));
}

/**
 * What `--accounts` or the file of `--accounts-file` says, or the same for `--presence`; null for neither. Arguments and environment are for everybody on the
 * machine to read, so a password does not stand there.
 * @throws UserError `usage`, or `config` for a file that is missing or open to others
 */
export function storeUrl(what: "accounts" | "presence", settings: StoreSettings): string | null {
  const [url, file] = [settings.get(what), settings.get(`${what}-file`)];
  if (url !== null && file !== null)
    throw usageError(`--${what} and --${what}-file are given both`, "give one of them");
  if (file !== null) return fromFile(what, file);
  const isSeen = settings.origin(what) !== "file";
  if (url !== null && isSeen && hasPassword(url))
    throw usageError(
      `--${what} holds a password, which others on this machine can read`,
      `write it into server.toml, or use --${what}-file F`,
    );
  return url;
}

/** Turns what the store says into what the operator reads. @throws UserError */
export async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new UserError(error.code, error.message, { ...hint, cause: error });
  }
}

function fromFile(what: string, file: string): string {
  const bytes = readPrivateFile(file, "secret");
  if (bytes === null)
    throw new UserError("config", `cannot read the ${what} URL: there is no file ${file}`, { hint: "check the path" });
  return new TextDecoder().decode(bytes).trim();
}

export function hasPassword(url: string): boolean {
  return /^[^/]*\/\/[^/@]*:[^/@]*@/.test(url);
}
