// Figures of this machine, for comparing two states of the code in one sitting: `npm run bench -- NAME`. Nothing is asserted.
import { binary } from "../support/binary.ts";
import { loadNow } from "./support/process.ts";

type Bench = (args: readonly string[]) => Promise<void>;

/** Each is loaded alone, so that none carries the others' weight. */
const benches: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  "main-job": () => import("./main-job.ts"),
  idle: () => import("./server/idle.ts"),
  storm: () => import("./server/storm.ts"),
  logins: () => import("./server/logins.ts"),
  directory: () => import("./server/directory.ts"),
  rings: () => import("./server/rings.ts"),
  kills: () => import("./server/kills.ts"),
  signalling: () => import("./server/signalling.ts"),
  relay: () => import("./server/relay.ts"),
  "relay-flood": () => import("./server/relay-flood.ts"),
  core: () => import("./session/core.ts"),
  line: () => import("./session/line.ts"),
};

const [name = "main-job", ...args] = process.argv.slice(2);
const load = benches[name];
if (load === undefined) {
  process.stderr.write(`there is no bench ${name}: ${Object.keys(benches).join(", ")}\n`);
  process.exit(2);
}
const { bench } = await load();
await bench(args);
const program = binary.split(/[/\\]/).at(-1) ?? "";
process.stdout.write(`measured with ${program} on ${process.platform}-${process.arch}, load ${loadNow()}\n`);
process.exit(0);
