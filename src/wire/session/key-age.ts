import type { PacketProtection } from "../packet/protection.ts";
import type { SessionLimits } from "./session-limits.ts";

/** open: everything is sealed. restricted: only what makes new keys, checks, and the end. spent: nothing more, the session is over. */
export type SealState = "open" | "restricted" | "spent";

/** How long the keys in use have served, in packets and time, and what that allows. */
export class KeyAge {
  readonly #limits: SessionLimits;
  #since: number;
  #graceUsed = 0;
  /** The last time anyone told. */
  #now: number;

  constructor(limits: SessionLimits, now: number) {
    this.#limits = limits;
    this.#since = this.#now = now;
  }

  /** New keys are in use. */
  restart(now: number): void {
    this.#since = now;
    this.#graceUsed = 0;
  }

  stateOf(now: number, keys: PacketProtection): SealState {
    const { gracePackets, graceMs, restrictAfterMs, restrictAfterPackets } = this.#limits;
    const ageMs = now - this.#since;
    if (keys.isSpent || this.#graceUsed > gracePackets || ageMs >= restrictAfterMs + graceMs) return "spent";
    const packets = keys.sealedPackets + keys.openedPackets;
    return packets >= restrictAfterPackets || ageMs >= restrictAfterMs ? "restricted" : "open";
  }

  /** A packet was sealed while restricted. */
  onRestrictedPacket(): void {
    this.#graceUsed++;
  }

  /** Time for new keys. The end that may only ask gives the other half of what is left until the restriction. */
  isDue(now: number, keys: PacketProtection, initiator: boolean): boolean {
    this.#now = now;
    return keys.needsRekey || now - this.#since >= this.#dueMs(initiator);
  }

  /** When time alone changes something next. */
  nextAt(initiator: boolean): number | null {
    const { restrictAfterMs, graceMs } = this.#limits;
    const marks = [this.#dueMs(initiator), restrictAfterMs, restrictAfterMs + graceMs];
    return marks.map((afterMs) => this.#since + afterMs).find((at) => at > this.#now) ?? null;
  }

  #dueMs(initiator: boolean): number {
    const { rekeyAfterMs, restrictAfterMs } = this.#limits;
    return initiator ? rekeyAfterMs : (rekeyAfterMs + restrictAfterMs) / 2;
  }
}
