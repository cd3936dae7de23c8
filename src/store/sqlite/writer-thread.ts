import { parentPort, workerData } from "node:worker_threads";
import { SqliteAccountStore } from "./account-store.ts";
import { closeDatabase, type Connection, perform } from "./connection.ts";
import { openToWrite } from "./database-file.ts";
import { commitTogether } from "./group-commit.ts";
import { type Order, type Report, type ThreadData, toPlain } from "./thread-messages.ts";

// The thread of thread-link.ts: in the executable an entry of its own, which scripts/compile.sh names.

interface Opened {
  readonly connection: Connection;
  readonly store: SqliteAccountStore;
}

const { place, busyWaitMs } = workerData as ThreadData;
let opened: Opened | null = null;
parentPort?.on("message", (order: Order) => void obey(order));

/** Never rejects. The next order comes when this one is answered. */
async function obey(order: Order): Promise<void> {
  if (order === null) return end();
  try {
    opened ??= await open();
    tell({ outcomes: await commitTogether(opened.connection, opened.store, order) });
  } catch (error) {
    tell({ error: toPlain(error) });
  }
}

async function open(): Promise<Opened> {
  const waiting = { place, busyWaitMs };
  const db = await perform(waiting, "open the account store", () => openToWrite(place));
  const connection = { ...waiting, db };
  return { connection, store: new SqliteAccountStore(connection) };
}

function end(): void {
  if (opened !== null) closeDatabase(opened.connection.db);
  parentPort?.close();
}

function tell(report: Report): void {
  parentPort?.postMessage(report, []);
}
