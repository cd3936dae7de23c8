import { existsSync } from "node:fs";
import path from "node:path";
import { UserError } from "../cli/errors.ts";
import { type HeldLock, takeLock } from "../runtime/file-lock.ts";
import { makePrivateFolder } from "../runtime/private-file.ts";

/** What lies where in a server's folder. */
export interface DataFolder {
  readonly folder: string;
  readonly serverKey: string;
  readonly signingKey: string;
  readonly accounts: string;
  readonly generation: string;
  readonly admin: string;
  readonly lock: string;
}

/** Makes the folder where it is missing. @throws UserError `config` when it cannot be made or written to, or others may write there */
export function openDataFolder(folder: string): DataFolder {
  makePrivateFolder(folder);
  return dataFolderAt(folder);
}

/**
 * Of a server that has run, or was given its key: a word with the operator must not make another server, whose join lines look right
 * and lead to a wrong key. @throws UserError `config`
 */
export function existingDataFolder(folder: string): DataFolder {
  const data = dataFolderAt(folder);
  if (existsSync(data.serverKey)) return openDataFolder(folder);
  throw new UserError("config", `no server has run in ${folder}`, {
    hint: "give the --data of your server; `p2p server` tells it in its log when it starts",
  });
}

/** The names alone; nothing is looked at. */
export function dataFolderAt(folder: string): DataFolder {
  const file = (name: string) => path.join(folder, name);
  return {
    folder,
    serverKey: file("server.key"),
    signingKey: file("signing.key"),
    accounts: file("accounts.db"),
    generation: file("generation"),
    admin: file("admin.json"),
    lock: file("server.lock"),
  };
}

/** One process at a time writes here. @throws UserError `config` */
export function lockDataFolder({ folder, lock }: DataFolder): HeldLock {
  const held = takeLock(lock);
  if (held !== null) return held;
  throw new UserError("config", `cannot use ${folder}: another p2p server holds it`, {
    hint: `stop that server, or give this one a folder of its own with --data; if none runs, remove ${lock}`,
  });
}
