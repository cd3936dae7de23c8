import type { Attempts } from "./attempts.ts";
import type { Bus } from "./bus.ts";
import type { PresenceStore } from "./presence.ts";
import type { RateBuckets } from "./rate-buckets.ts";

/** What server nodes share while they run; all of it may be lost without harm to an account. */
export interface SharedStores extends AsyncDisposable {
  readonly presence: PresenceStore;
  readonly bus: Bus;
  readonly buckets: RateBuckets;
  readonly attempts: Attempts;
}
