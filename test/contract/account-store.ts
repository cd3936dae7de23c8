import type { AccountStore } from "../../src/store/accounts.ts";
import { accountsContract } from "./accounts.ts";
import { devicesContract } from "./devices.ts";
import { hostileValuesContract } from "./hostile-values.ts";
import { invitationsContract } from "./invitations.ts";
import { recordsContract } from "./records.ts";
import { upkeepContract } from "./upkeep.ts";

/** A new, empty store as two server nodes see it; a back end that only one node can have gives the same one twice. */
export interface AccountPlace extends AsyncDisposable {
  readonly nodes: readonly [AccountStore, AccountStore];
}

export interface AccountBackEnd {
  readonly name: string;
  readonly place: () => Promise<AccountPlace>;
}

/** What every AccountStore promises. A new back end joins by one line in account-store.test.ts. */
export function accountStoreContract(backEnd: AccountBackEnd): void {
  accountsContract(backEnd);
  invitationsContract(backEnd);
  devicesContract(backEnd);
  upkeepContract(backEnd);
  recordsContract(backEnd);
  hostileValuesContract(backEnd);
}
