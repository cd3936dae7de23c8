import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { openAccountStore } from "../../store/open.ts";
import type { MigrateCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";
import type { Output } from "../cli/output.ts";
import { takeLock } from "../runtime/file-lock.ts";
import { dataFolderAt } from "./data-folder.ts";
import { type StorePlace, type StorePlaces, storePlaces } from "./migrate-places.ts";
import { type Migrated, migrate, type MigrationProgress } from "./migration.ts";
import { explained } from "./opened-store.ts";

/** After these the same command goes on where it ended. */
const passing: readonly string[] = ["interrupted", "terminated", "busy", "disk-full"];

/** `p2p server migrate`: all accounts from one store into another. @returns 0. @throws UserError */
export async function runMigrate(command: MigrateCommand, context: ServerContext): Promise<number> {
  const places = storePlaces(command, context);
  const locks = lockServers([context.data, ...foldersOf(places)]);
  try {
    await copy(places, context);
    return 0;
  } finally {
    locks[Symbol.dispose]();
  }
}

async function copy(places: StorePlaces, context: ServerContext): Promise<void> {
  const { output } = context;
  const [from, to] = [places.from.shown, places.to.shown];
  const startedAt = performance.now();
  try {
    const migrated = await explained(() => migrateBetween(places, context));
    const seconds = Math.round(performance.now() - startedAt) / 1_000;
    output.event({ event: "migrated", from, to, ...figures(migrated), seconds });
    output.note(`start the servers with ${settingFor(places.to)}; ${from} was left as it is`);
  } catch (error) {
    output.status("");
    if (error instanceof UserError && passing.includes(error.code))
      output.note("what was copied stays; the same command goes on from there");
    throw error;
  }
}

/**
 * The source first: a target is not made for one that cannot be opened. Nobody who wants it ended waits for a database: what is in
 * hand then counts as cut off.
 */
async function migrateBetween({ from, to }: StorePlaces, { output, signal }: ServerContext): Promise<Migrated> {
  await using source = await openAccountStore(from.url);
  await using target = await openAccountStore(to.url);
  const migrated = migrate(
    { store: source, place: from.shown },
    { store: target, place: to.shown },
    { nowMs: Date.now(), signal, onProgress: (progress) => show(progress, output) },
  );
  return await Promise.race([migrated, abortOf(signal)]);
}

function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return promise;
}

function figures({ tallies, alreadyThere, generation }: Migrated) {
  const entries = Object.entries(tallies);
  return {
    generation,
    alreadyThere,
    counts: Object.fromEntries(entries.map(([kind, { count }]) => [kind, count])),
    digests: Object.fromEntries(entries.map(([kind, { digest }]) => [kind, digest])),
  };
}

function show({ step, done, total }: MigrationProgress, output: Output): void {
  output.status(`${step}: ${done}${total === null ? "" : ` of ${total}`} records`);
}

/** What a server is told; a URL with a password is not repeated. */
function settingFor({ shown, file }: StorePlace): string {
  return file === null
    ? `--accounts ${shown}`
    : `--accounts "${shown}", or without --accounts if it is in their --data`;
}

function foldersOf({ from, to }: StorePlaces): readonly string[] {
  return [from.file, to.file].flatMap((file) => (file === null ? [] : [path.dirname(file)]));
}

/** No server may start on these meanwhile, nor run: what people do would be missing in the copy. @throws UserError `config` */
function lockServers(folders: readonly string[]): Disposable {
  using stack = new DisposableStack();
  const served = folders.filter((folder) => existsSync(dataFolderAt(folder).serverKey));
  for (const folder of new Set(served.map((each) => realpathSync(each)))) {
    const lock = takeLock(dataFolderAt(folder).lock);
    if (lock === null) throw isServed(folder);
    stack.defer(lock.release);
  }
  return stack.move();
}

function isServed(folder: string): UserError {
  return new UserError("config", `cannot copy the accounts: a p2p server runs in ${folder}`, {
    hint: "stop it first: what people do meanwhile would be missing in the copy; if these are not its accounts, give the --data of theirs",
  });
}
