import type { SessionLimits } from "../../src/wire/session/session-limits.ts";
import { Seeded } from "./seeded.ts";

/** New keys every 16 to 64 packets, so that every other test tests that too: without a pause, as what is left until the restriction is far. */
export function manyRekeys(seed: number): Partial<SessionLimits> {
  return { rekeyAfterPackets: new Seeded(seed).between(16, 64) };
}

/** And a restriction after as many again, as if hours had gone by without an answer; and many packet numbers left out. */
export function quickRekeys(random: Seeded): Partial<SessionLimits> {
  const rekeyAfterPackets = random.between(16, 64);
  return { rekeyAfterPackets, restrictAfterPackets: 2 * rekeyAfterPackets, skipEveryPackets: 24 };
}
