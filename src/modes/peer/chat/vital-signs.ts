import type { Clock } from "../../runtime/clock.ts";
import type { PeerSession } from "../peer-session.ts";

/** When to look. Milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** Since the last sign, until the next one is asked for. Milliseconds. */
const ASK_AFTER_MS = 5_000;
/** Since the last sign, until the other end counts as silent; a change of the path takes less. Milliseconds. */
const SILENT_AFTER_MS = 10_000;
/** As above, when the server says that their line broke: a path of our own may live. Milliseconds. */
const AWAY_AFTER_MS = 2_000;

/**
 * Whether the other end is still there. The session itself waits an hour for a laptop that sleeps; a person wants to know sooner
 * that nothing moves.
 */
export class VitalSigns implements Disposable {
  readonly #session: Pick<PeerSession, "ping" | "onAway">;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #signAtMs: number;
  /** When the server said that they are away; null since there was a sign. */
  #awayAtMs: number | null = null;
  #isAsked = false;
  #callOff: () => void;

  /** @param onChange called also each second of a silence. May not throw */
  constructor(session: Pick<PeerSession, "ping" | "onAway">, clock: Clock, onChange: () => void) {
    this.#session = session;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#signAtMs = clock.now();
    this.#callOff = clock.after(LOOK_EVERY_MS, this.#look);
    session.onAway(() => {
      this.#awayAtMs ??= clock.now();
      this.#ask();
    });
  }

  [Symbol.dispose](): void {
    this.#callOff();
  }

  /** How long nothing came from the other end; null while it counts as there. Milliseconds. */
  get silentMs(): number | null {
    const now = this.#clock.now();
    const isAway = this.#awayAtMs !== null && now - this.#awayAtMs >= AWAY_AFTER_MS;
    const silentMs = now - this.#signAtMs;
    return isAway || silentMs >= SILENT_AFTER_MS ? silentMs : null;
  }

  readonly #look = (): void => {
    this.#callOff = this.#clock.after(LOOK_EVERY_MS, this.#look);
    if (this.#clock.now() - this.#signAtMs >= ASK_AFTER_MS) this.#ask();
    if (this.silentMs !== null) this.#onChange();
  };

  /** One question at a time: the session repeats it until it is answered, or until it ends. */
  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#session.ping().then(this.#answered, () => this[Symbol.dispose]());
  }

  readonly #answered = (): void => {
    this.#isAsked = false;
    this.#signAtMs = this.#clock.now();
    this.#awayAtMs = null;
    this.#onChange();
  };
}
