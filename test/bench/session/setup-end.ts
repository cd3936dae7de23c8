// The asking end of set-ups: `bun setup-end.ts HOME PERSON COUNT`, signed in before. Prints a JSON list of milliseconds, each from the ask
// to the first echo over the session.
import { openNode } from "../../../src/modes/peer/open-node.ts";
import { peerContext } from "../../support/peer-context.ts";
import { VirtualTerminal } from "../../support/virtual-terminal.ts";

const [home = "", person = "", count = "10"] = process.argv.slice(2);
const PAUSE_MS = 500;
const WAIT_MS = 10_000;

const context = peerContext(new VirtualTerminal(), home, new AbortController().signal);
const times: number[] = [];
const node = await openNode(context);
for (let turn = 0; turn < Number(count); turn++) {
  const start = performance.now();
  const session = await node.ask(person, { purpose: "ping", waitMs: WAIT_MS });
  await session.ping();
  times.push(performance.now() - start);
  await session.close();
  await Bun.sleep(PAUSE_MS);
}
process.stdout.write(`${JSON.stringify(times)}\n`);
process.exit(0);
