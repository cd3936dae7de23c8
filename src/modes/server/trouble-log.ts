import { StoreError } from "../../store/errors.ts";
import type { Log } from "../runtime/log.ts";
import type { Clock } from "./clock.ts";

/** Gap between two lines about one state of a store. Milliseconds. */
const QUIET_MS = 30_000;

/**
 * What goes wrong and is no mistake of whoever asked. A store that is away is told of once in 30 s, however many ask it; a defect of ours
 * each time, with its stack.
 */
export class TroubleLog {
  readonly #log: Log;
  readonly #clock: Pick<Clock, "now">;
  /** When a store's state was told last, by the code of its error. */
  readonly #toldAt = new Map<string, number>();

  constructor(log: Log, clock: Pick<Clock, "now">) {
    this.#log = log;
    this.#clock = clock;
  }

  /** @param event what the log calls it when it is a defect */
  tell(event: string, error: unknown): void {
    if (error instanceof StoreError) this.#tellOfStore(error);
    else this.#log.error(event, { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }

  #tellOfStore({ code, message }: StoreError): void {
    const now = this.#clock.now();
    if (now - (this.#toldAt.get(code) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    this.#toldAt.set(code, now);
    this.#log.error("store-trouble", { reason: message });
  }
}
