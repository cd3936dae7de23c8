import type { FindCursor } from "mongodb";
import { type Connection, perform } from "./connection.ts";
import type { Collections } from "./collections.ts";
import { withDeadline } from "./deadline.ts";
import type { RecordDocument } from "./record-documents.ts";

/** How long one batch of many documents may take: the first may need all of them sorted. */
export const BULK_MS = 60_000;
/** Documents in one batch. */
const BATCH = 1_000;
const GOODBYE_MS = 1_000;

/** All documents of a collection in order of their ids, batch by batch, each with its own deadline. @throws StoreError `busy` */
export async function* documentsOf(
  connection: Connection,
  action: string,
  of: keyof Collections,
): AsyncGenerator<RecordDocument, void> {
  const all = connection.db.collection<RecordDocument>(of);
  const cursor = all.find({}, { sort: { _id: 1 }, batchSize: BATCH });
  try {
    for (;;) {
      const batch = await perform(connection, action, () => nextBatch(cursor), BULK_MS);
      if (batch.length === 0) return;
      yield* batch;
    }
  } finally {
    await withDeadline(GOODBYE_MS, () => cursor.close()).catch(() => {});
  }
}

/** Without the signal of its deadline, which the cursor would keep beyond the batch; a call that hangs is left behind. */
async function nextBatch(cursor: FindCursor<RecordDocument>): Promise<readonly RecordDocument[]> {
  return (await cursor.hasNext()) ? cursor.readBufferedDocuments() : [];
}
