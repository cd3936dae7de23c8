import { existsSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import type { MigrateCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";
import { usageError } from "../cli/problem.ts";
import { dataFolderAt } from "./data-folder.ts";
import { hasPassword, storeUrl } from "./opened-store.ts";

/** A store as the operator named it. */
export interface StorePlace {
  readonly url: string;
  /** Without credentials. */
  readonly shown: string;
  /** Of SQLite, absolute; null for a database elsewhere. */
  readonly file: string | null;
}

export interface StorePlaces {
  readonly from: StorePlace;
  readonly to: StorePlace;
}

type Named = Pick<ServerContext, "data" | "settings">;

/**
 * What --from and --to name. The one that is left out is the store of this server's settings.
 * @throws UserError `usage`; `file-not-found` when there is nothing to copy from; `config` for a file of --accounts-file
 */
export function storePlaces(command: Pick<MigrateCommand, "from" | "to">, named: Named): StorePlaces {
  const { from, to } = command;
  if (from === null && to === null)
    throw usageError(
      "server migrate: both --from and --to are missing",
      "name one; the other is this server's own store",
    );
  if (from !== null && to !== null && named.settings.origin("accounts-file") === "flag")
    throw usageError("--accounts-file stands for --from or --to, and both are given", "leave one of them out");
  const places = { from: placeOf("--from", from, named), to: placeOf("--to", to, named) };
  refuseSame(places);
  if (places.from.file !== null && !existsSync(places.from.file))
    throw new UserError("file-not-found", `cannot copy from ${places.from.file}: there is no such file`);
  return places;
}

function placeOf(flag: "--from" | "--to", given: string | null, { data, settings }: Named): StorePlace {
  if (given !== null && hasPassword(given))
    throw usageError(
      `${flag} holds a password, which others on this machine can read`,
      `leave ${flag} out, and write the URL into server.toml as accounts, or use --accounts-file F`,
    );
  const url = given ?? storeUrl("accounts", settings) ?? `sqlite:${dataFolderAt(data).accounts}`;
  const [, scheme = "", rest = ""] = /^([a-z+]+):(.+)$/is.exec(url) ?? [];
  if (scheme.toLowerCase() === "sqlite") return inFile(path.resolve(rest));
  if (/^mongodb(\+srv)?$/i.test(scheme)) return { url, shown: withoutCredentials(scheme, rest), file: null };
  const what = given === null ? "the store of this server" : flag;
  throw usageError(`${what} is neither sqlite:PATH nor mongodb://…`, "name a store that stays when a server ends");
}

function inFile(file: string): StorePlace {
  return { url: `sqlite:${file}`, shown: `sqlite:${file}`, file };
}

function withoutCredentials(scheme: string, rest: string): string {
  const [place = ""] = rest.replace(/^\/\//, "").split("?");
  return `${scheme}://${place.slice(place.lastIndexOf("@") + 1)}`.toLowerCase();
}

function refuseSame({ from, to }: StorePlaces): void {
  const isSame = from.shown === to.shown || (from.file !== null && to.file !== null && isOneFile(from.file, to.file));
  if (isSame) throw usageError("server migrate: --from and --to are the same store", "name another one to copy into");
}

function isOneFile(one: string, other: string): boolean {
  if (!existsSync(one) || !existsSync(other)) return false;
  const [left, right] = [statSync(one), statSync(other)];
  return realpathSync(one) === realpathSync(other) || (left.ino === right.ino && left.dev === right.dev);
}
