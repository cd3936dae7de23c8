import type { LabSpec } from "../../support/natlab.ts";
import type { P2p } from "../../support/binary.ts";
import type { Village } from "../village.ts";
import { settleFarApart } from "./meeting.ts";
import { nameOf } from "./reaching.ts";
import { type Case, demand, type Figures } from "./scenario.ts";

export const LARGE_BYTES = 200 * 10 ** 6;
/** Slow enough to be in the middle of it when something happens. */
const LINE_MBIT = 100;
const WITHIN_MS = 300_000;
const DIRECT_WITHIN_MS = 30_000;

/** A large file is under way, directly where there is a direct path, when something happens; it arrives whole. */
export function sends(spec: LabSpec, what: string, change: (village: Village) => Promise<unknown>): Case {
  return {
    name: `${nameOf(spec)}, 200 MB, ${what}`,
    once: true,
    run: async () => {
      await using village = await settleFarApart(spec);
      await village.lab.rate("a", LINE_MBIT);
      const file = await village.file(LARGE_BYTES);
      await using receiver = await village.ben.receiving("--yes", "--once");
      await using send = village.ana.start("send", file.path, "@ben");
      const stall = longestStall(receiver);
      if (!nameOf(spec).includes("udpblocked")) await send.waitFor("path", isDirect, DIRECT_WITHIN_MS);
      await receiver.waitFor("progress", ({ bytes, total }) => bytes > total / 4);
      await change(village);
      demand(!receiver.events.some(({ event }) => event === "saved"), "it had arrived before anything happened");
      return await finish(send, receiver, file, stall);
    },
  };
}

function isDirect({ kind }: { readonly kind: string }): boolean {
  return kind === "direct" || kind === "lan";
}

async function finish(
  send: P2p,
  receiver: P2p,
  file: Awaited<ReturnType<Village["file"]>>,
  stall: Promise<number>,
): Promise<Figures> {
  const sent = await send.finished(WITHIN_MS);
  demand(sent.exitCode === 0, `send ended with ${sent.exitCode}: ${sent.stdout.slice(-2_000)}${sent.stderr}`);
  const { exitCode } = await receiver.finished(WITHIN_MS);
  demand(exitCode === 0 && (await file.hasArrived()), "the file did not arrive whole");
  const done = sent.events.find((event) => event.event === "sent");
  return { stall: await stall, seconds: done?.event === "sent" ? done.seconds : Number.NaN };
}

/** Between two reports of more bytes; there are four a second. Milliseconds. */
async function longestStall(receiver: P2p): Promise<number> {
  let [longest, lastAt, lastBytes] = [0, Number.NaN, 0];
  for await (const event of receiver) {
    if (event.event !== "progress" || event.bytes <= lastBytes) continue;
    const now = performance.now();
    if (lastBytes > 0) longest = Math.max(longest, now - lastAt);
    [lastAt, lastBytes] = [now, event.bytes];
  }
  return Math.round(longest);
}
