import type { AccountStore } from "../../store/accounts.ts";
import { StoreError } from "../../store/errors.ts";
import { openAccountStore } from "../../store/open.ts";
import type { OnTrouble } from "../../store/trouble.ts";
import { UserError } from "../cli/errors.ts";
import { usageError } from "../cli/problem.ts";
import type { Settings } from "../cli/settings.ts";
import { readPrivateFile } from "../runtime/private-file.ts";
import type { DataFolder } from "./data-folder.ts";

type AccountSettings = Pick<Settings, "get" | "origin">;

/** The accounts that the settings name, by default those of the data folder. @throws UserError when they cannot be opened */
export async function openAccounts(
  data: DataFolder,
  settings: AccountSettings,
  onTrouble: OnTrouble,
): Promise<AccountStore> {
  const url = accountsUrl(settings) ?? `sqlite:${data.accounts}`;
  return explained(() => openAccountStore(url, { onTrouble }));
}

/**
 * What `--accounts` or the file of `--accounts-file` says; null for neither. Arguments and environment are for everybody on the
 * machine to read, so a password does not stand there.
 * @throws UserError `usage`, or `config` for a file that is missing or open to others
 */
export function accountsUrl(settings: AccountSettings): string | null {
  const [url, file] = [settings.get("accounts"), settings.get("accounts-file")];
  if (url !== null && file !== null)
    throw usageError("--accounts and --accounts-file are given both", "give one of them");
  if (file !== null) return fromFile(file);
  const isSeen = settings.origin("accounts") !== "file";
  if (url !== null && isSeen && hasPassword(url))
    throw usageError(
      "--accounts holds a password, which others on this machine can read",
      "write it into server.toml, or use --accounts-file F",
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

function fromFile(file: string): string {
  const bytes = readPrivateFile(file, "secret");
  if (bytes === null)
    throw new UserError("config", `cannot read the accounts URL: there is no file ${file}`, { hint: "check the path" });
  return new TextDecoder().decode(bytes).trim();
}

function hasPassword(url: string): boolean {
  return /^[^/]*\/\/[^/@]*:[^/@]*@/.test(url);
}
