import type { Clock } from "../../runtime/clock.ts";
import type { PeerSession } from "../peer-session.ts";
import { RateMeter, type SessionRates } from "../session-figures.ts";

/** Milliseconds. */
const BEAT_MS = 1_000;

/** What a session moved in its last second, for whoever asks now. */
export class Pulse implements Disposable {
  readonly #session: Pick<PeerSession, "figures">;
  readonly #clock: Clock;
  readonly #meter: RateMeter;
  #rates: SessionRates = { sendBytesPerSecond: 0, receiveBytesPerSecond: 0, limitedBy: "application" };
  #callOff: () => void;

  constructor(session: Pick<PeerSession, "figures">, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    this.#meter = new RateMeter(clock.now(), session.figures);
    this.#callOff = clock.after(BEAT_MS, this.#beat);
  }

  [Symbol.dispose](): void {
    this.#callOff();
  }

  get rates(): SessionRates {
    return this.#rates;
  }

  readonly #beat = (): void => {
    this.#callOff = this.#clock.after(BEAT_MS, this.#beat);
    this.#rates = this.#meter.take(this.#clock.now(), this.#session.figures);
  };
}
