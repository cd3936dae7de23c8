import { FULL_CHECKS, GLOBAL_IPV6_CHECKS } from "./permit.ts";

/** Every 50 ms for a second, every 250 ms to 3 s, every second to 10 s: 36 checks. Under loss the interval decides how soon a path is found. */
const FULL_MS = [...steps(0, 1_000, 50), ...steps(1_250, 3_000, 250), ...steps(4_000, 10_000, 1_000)];
const TWENTY_MS = [...steps(0, 1_000, 100), 1_500, 2_000, 2_500, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000];
const FEW_MS = [0, 100, 300, 700, 1_500, 3_000];

/** Rounds of few checks after a path was lost, counted from then. Milliseconds. */
const ROUNDS_MS = [0, 2_000, 5_000, 10_000, 30_000, 60_000];
/** The first of {@link ROUNDS_MS} that lies behind the full schedule. */
export const ROUND_AFTER_FULL = 4;

/** When the checks of a new address follow each other, counted from the first. Milliseconds. */
export function offsetsFor(maxChecks: number): readonly number[] {
  if (maxChecks >= FULL_CHECKS) return FULL_MS;
  return maxChecks >= GLOBAL_IPV6_CHECKS ? TWENTY_MS : FEW_MS;
}

/** The same for an address in later rounds, and for one that the other end was heard from. */
export const ROUND_OFFSETS_MS: readonly number[] = FEW_MS;

/** When round `index` begins, counted from the loss. @param endless whether a round a minute follows; else Infinity. Milliseconds. */
export function roundAtMs(index: number, endless: boolean): number {
  const listed = ROUNDS_MS[index];
  if (listed !== undefined) return listed;
  return endless ? 60_000 * (index - ROUNDS_MS.length + 2) : Infinity;
}

function steps(from: number, to: number, by: number): number[] {
  return Array.from({ length: (to - from) / by + 1 }, (_, index) => from + index * by);
}
