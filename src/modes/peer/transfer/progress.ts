/** As in the `progress` event. */
export interface ProgressFigures {
  readonly file: string;
  readonly bytes: number;
  readonly total: number;
  readonly bytesPerSecond: number;
  readonly etaSeconds: number | null;
}

/** At most four reports a second. Milliseconds. */
const REPORT_MS = 250;
/** The rate is that of the last few seconds. Reports. */
const RATE_REPORTS = 12;

/** Says how far a transfer is, from what was moved here and nothing that the other end says. */
export class Progress {
  readonly #total: number;
  readonly #now: () => number;
  readonly #report: (figures: ProgressFigures) => void;
  /** Newest last. */
  readonly #samples: Array<{ readonly atMs: number; readonly bytes: number }>;
  #bytes = 0;

  constructor(total: number, now: () => number, report: (figures: ProgressFigures) => void) {
    this.#total = total;
    this.#now = now;
    this.#report = report;
    this.#samples = [{ atMs: now(), bytes: 0 }];
  }

  moved(file: string, bytes: number): void {
    this.#bytes += bytes;
    const atMs = this.#now();
    const [oldest, newest] = [this.#samples[0], this.#samples.at(-1)];
    if (oldest === undefined || newest === undefined || atMs - newest.atMs < REPORT_MS) return;
    const perSecond = ((this.#bytes - oldest.bytes) * 1_000) / (atMs - oldest.atMs);
    this.#report(this.#figures(file, perSecond));
    this.#samples.push({ atMs, bytes: this.#bytes });
    if (this.#samples.length > RATE_REPORTS) this.#samples.shift();
  }

  #figures(file: string, perSecond: number): ProgressFigures {
    const etaSeconds = perSecond > 0 ? Math.ceil((this.#total - this.#bytes) / perSecond) : null;
    return { file, bytes: this.#bytes, total: this.#total, bytesPerSecond: Math.round(perSecond), etaSeconds };
  }
}
