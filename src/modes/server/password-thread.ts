import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { outcomeOf, type PasswordJob } from "./password-jobs.ts";

// A thread of password-threads.ts: in the executable an entry of its own, which scripts/compile.sh names.

if (process.platform === "linux") standBack();
parentPort?.on("message", (job: PasswordJob) => parentPort?.postMessage(outcomeOf(job), []));

/** Of this thread alone, on Linux; elsewhere it would be the whole program. */
function standBack(): void {
  try {
    setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where the system refuses it, passwords are hashed all the same.
  }
}
