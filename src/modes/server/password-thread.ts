import { constants, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { outcomeOf, type PasswordJob } from "./password-jobs.ts";

// A thread of password-threads.ts: in the executable an entry of its own, which scripts/compile.sh names.

// On Linux of this thread alone, elsewhere of the whole program.
if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_LOW);
parentPort?.on("message", (job: PasswordJob) => parentPort?.postMessage(outcomeOf(job), []));
