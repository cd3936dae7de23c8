import path from "node:path";
import { makePrivateFolder } from "../runtime/private-file.ts";

/** What lies where in a person's folder. */
export interface Home {
  readonly folder: string;
  readonly identity: string;
  readonly account: string;
  readonly people: string;
}

/** Names only; nothing is touched. */
export function homeAt(folder: string): Home {
  const file = (name: string) => path.join(folder, name);
  return { folder, identity: file("identity.key"), account: file("account.json"), people: file("people.json") };
}

/** Makes the folder where it is missing. @throws UserError `config` when it cannot be made or written to, or others may write there */
export function openHome(folder: string): Home {
  makePrivateFolder(folder);
  return homeAt(folder);
}
