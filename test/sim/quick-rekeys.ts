import type { SessionLimits } from "../../src/wire/session/session-limits.ts";
import type { Seeded } from "./seeded.ts";

/** New keys every 16 to 64 packets, so that every other test tests that too; and many packet numbers left out. */
export function quickRekeys(random: Seeded): Partial<SessionLimits> {
  const rekeyAfterPackets = random.between(16, 64);
  return { rekeyAfterPackets, restrictAfterPackets: 2 * rekeyAfterPackets, skipEveryPackets: 24 };
}
