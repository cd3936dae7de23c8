import { open } from "node:fs/promises";
import { temporaryFolder } from "../../support/folder.ts";
import { Samples } from "./figures.ts";

/** About what one account or device takes in SQLite's log. */
const BYTES = 12_288;
const SYNCS = 50;

/** How long the disk under the stores takes to keep a few pages: what a server with a file of accounts waits for at each write. */
export async function diskSyncs(): Promise<Samples> {
  using folder = temporaryFolder();
  await using file = await open(folder.at("syncs"), "w");
  const samples = new Samples();
  for (let sync = 0; sync < SYNCS; sync++) {
    await file.write(Buffer.alloc(BYTES, sync));
    const start = performance.now();
    await file.datasync();
    samples.add(performance.now() - start);
  }
  return samples;
}
