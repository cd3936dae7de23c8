import { LimitKeys } from "../../../../src/modes/server/limit-keys.ts";
import type { SharedLimits } from "../../../../src/modes/server/shared-limits.ts";
import { MemoryAttempts } from "../../../../src/store/memory/attempts.ts";
import { MemoryRateBuckets } from "../../../../src/store/memory/rate-buckets.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import type { ManualClock } from "./manual-clock.ts";

/** What any number of nodes may share. */
export function limitsPlace(clock: ManualClock): SharedLimits {
  const now = () => clock.now();
  const names = new LimitKeys(new KeyPair(new Uint8Array(32).fill(7)));
  return { buckets: new MemoryRateBuckets(now), attempts: new MemoryAttempts(now), names };
}
