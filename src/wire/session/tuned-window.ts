/** What all windows that share it may grow by together. Bytes. */
export class WindowPool {
  #leftBytes: number;

  constructor(bytes: number) {
    this.#leftBytes = bytes;
  }

  /** @returns how much of it there is: the caller's until given back */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.#leftBytes);
    this.#leftBytes -= taken;
    return taken;
  }

  giveBack(bytes: number): void {
    this.#leftBytes += bytes;
  }
}

/** A round trip may bring twice as much next time, as it does at the start. */
const AHEAD = 2;

/**
 * How many bytes are let ahead of those that are done with: as many as bandwidth and delay of the path ask for, from its first size up to
 * a multiple of it. Fast and far it grows; a slow reader lets it be, however much waits. It does not shrink before {@link release}.
 */
export class TunedWindow {
  bytes: number;
  readonly #firstBytes: number;
  readonly #mostBytes: number;
  readonly #pool: WindowPool;
  #doneBytes = 0;
  #since: number | null = null;
  #isReleased = false;

  constructor(firstBytes: number, mostBytes: number, pool: WindowPool) {
    this.bytes = this.#firstBytes = firstBytes;
    this.#mostBytes = mostBytes;
    this.#pool = pool;
  }

  /** Bytes are done with. At the end of each round trip the window is to hold twice what one brings (Fisk and Feng, Dynamic Right-Sizing). */
  onDone(now: number, bytes: number, rttMs: number): void {
    // What comes first took its time before.
    if (this.#since !== null) this.#doneBytes += bytes;
    const elapsedMs = now - (this.#since ??= now);
    if (elapsedMs < rttMs || elapsedMs === 0) return;
    this.grow(AHEAD * this.#doneBytes * (rttMs / elapsedMs));
    this.#since = now;
    this.#doneBytes = 0;
  }

  /** As far as its limit and the pool allow. */
  grow(bytes: number): void {
    const wanted = Math.floor(Math.min(bytes, this.#mostBytes)) - this.bytes;
    if (wanted > 0 && !this.#isReleased) this.bytes += this.#pool.take(wanted);
  }

  /** It is of no more use: others may grow. */
  release(): void {
    if (!this.#isReleased) this.#pool.giveBack(this.bytes - this.#firstBytes);
    this.#isReleased = true;
  }
}
