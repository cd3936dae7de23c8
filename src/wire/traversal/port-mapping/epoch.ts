/** Two clocks may differ by so much over any time, and by this part of it over long ones. */
const GRACE_SECONDS = 2;
const DRIFT = 1 / 16;

/**
 * Tells by a gateway's seconds since its start whether it has forgotten what it granted: they go on as our own time does, or it has
 * restarted. RFC 6887 §8.5; RFC 6886 §3.6 asks for less, and to ask once too often does no harm.
 */
export class EpochWatch {
  #heard: { readonly at: number; readonly seconds: number } | null = null;

  /** @returns true when what was granted before is gone */
  hear(now: number, seconds: number): boolean {
    const before = this.#heard;
    this.#heard = { at: now, seconds };
    if (before === null) return false;
    const [theirs, ours] = [seconds - before.seconds, (now - before.at) / 1_000];
    if (theirs < -1) return true;
    return ours + GRACE_SECONDS < theirs * (1 - DRIFT) || theirs + GRACE_SECONDS < ours * (1 - DRIFT);
  }
}
