import { parentPort, workerData } from "node:worker_threads";
import type { Order } from "../../../../src/store/sqlite/thread-messages.ts";

// Stands for writer-thread.ts where it ends without a word: as `workerData.how` says, once it is told to write something.

parentPort?.on("message", (order: Order) => {
  if (order === null || order.length === 0) return parentPort?.postMessage({ outcomes: [] }, []);
  if ((workerData as { readonly how: string }).how === "throws") throw new Error("out of luck");
  process.exit(3);
});
