import type { AccountStore } from "../../store/accounts.ts";
import { StoreError } from "../../store/errors.ts";
import { openAccountStore } from "../../store/open.ts";
import { UserError } from "../cli/errors.ts";
import type { DataFolder } from "./data-folder.ts";

/** The accounts of a data folder. @throws UserError when they cannot be opened */
export async function openAccounts(data: DataFolder): Promise<AccountStore> {
  return explained(() => openAccountStore(`sqlite:${data.accounts}`));
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
