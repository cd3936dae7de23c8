import { attend, bringIn } from "../support/crowd.ts";
import { row } from "../support/figures.ts";
import { kernelBytes, settledBytesOf } from "../support/process.ts";
import { Town } from "../support/town.ts";

const KIB = 1_024;
/** For the runtime to compile what runs often, and for rubbish to be collected. */
const WARM_UP = 500;
const SETTLE_MS = 12_000;

/**
 * `idle [CLIENTS]`: what a signed-in client that says nothing costs the server: what is resident, and about what the kernel holds for its
 * socket. Both ends of each are on this machine, so half of the kernel's growth is the server's.
 */
export async function bench([count = "10000"]: readonly string[]): Promise<void> {
  const clients = Number(count);
  await using town = await Town.found({ people: WARM_UP + clients });
  const { pid } = town.node;
  const warm = town.clients(0, WARM_UP);
  await bringIn(warm);
  for (const client of warm) attend(client);
  await Bun.sleep(1_000);
  for (const client of warm) client.cut();
  const before = await settledBytesOf(pid, SETTLE_MS);
  const kernelBefore = kernelBytes();
  const start = performance.now();
  const crowd = town.clients(WARM_UP, WARM_UP + clients);
  await bringIn(crowd);
  const seconds = (performance.now() - start) / 1_000;
  for (const client of crowd) attend(client);
  const after = await settledBytesOf(pid, SETTLE_MS);
  const own = (after - before) / clients / KIB;
  const kernel = (kernelBytes() - kernelBefore) / 2 / clients / KIB;
  row("resident before", `${(before / KIB / KIB).toFixed(0)} MiB`);
  row(`with ${clients} signed in`, `${(after / KIB / KIB).toFixed(0)} MiB`);
  row("for each idle client", `${own.toFixed(1)} KiB and ${kernel.toFixed(1)} of the kernel`, { must: "16", aim: "8" });
  row("signed in one after the other", `${(clients / seconds).toFixed(0)} a second`);
}
