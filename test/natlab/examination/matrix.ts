import { textOf } from "./runner.ts";
import { type Meeting, meet, settleFarApart } from "./meeting.ts";

/** Natlab's, in the order of how much they let through. */
export const kinds = [
  "none",
  "publicfw",
  "fullcone",
  "arcone",
  "cone",
  "cone-remap",
  "cone-open",
  "symmetric",
  "symmetric-seq",
  "symmetric-block",
  "cgnat",
  "cgnat-symmetric",
] as const;
export type Kind = (typeof kinds)[number];

export interface Pair {
  readonly a: Kind;
  readonly b: Kind;
  /** Where chance decides, a pair meets several times and is direct when nearly all of them are. */
  readonly runs: number;
}

export interface PairResult extends Pair {
  readonly isDirect: boolean;
  readonly directRuns: number;
  /** Of those that came to what the pair counts for, the one in the middle. */
  readonly meeting: Meeting | null;
  /** Why a meeting failed altogether. */
  readonly trouble: string | null;
}

const OPEN_RUNS = 10;
const LEAST_OPEN_SHARE = 0.9;
/** Longer than one series of probes into the dark takes. */
const WITHIN_MS = 20_000;

/** All of them, each once whichever way round. */
export const pairs: readonly Pair[] = kinds.flatMap((a, index) =>
  kinds.slice(index).map((b) => ({ a, b, runs: a === "cone-open" || b === "cone-open" ? OPEN_RUNS : 1 })),
);

export async function examinePair(pair: Pair): Promise<PairResult> {
  const meetings: Meeting[] = [];
  const troubles: string[] = [];
  for (let run = 0; run < pair.runs; run++) {
    try {
      meetings.push(await meetOnce(pair));
    } catch (error) {
      troubles.push(textOf(error));
    }
  }
  const directRuns = meetings.filter(({ isDirect }) => isDirect).length;
  const isDirect = directRuns >= pair.runs * LEAST_OPEN_SHARE;
  const typical = meetings
    .filter((one) => one.isDirect === isDirect)
    .toSorted((a, b) => (a.directMs ?? 0) - (b.directMs ?? 0));
  const meeting = typical[Math.floor(typical.length / 2)] ?? null;
  return { ...pair, isDirect, directRuns, meeting, trouble: troubles[0] ?? null };
}

async function meetOnce({ a, b }: Pair): Promise<Meeting> {
  await using village = await settleFarApart({ a, b });
  return await meet(village, WITHIN_MS);
}
