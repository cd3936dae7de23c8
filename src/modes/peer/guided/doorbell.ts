import type { Incoming } from "../peer-node.ts";

/** Who hears the bell; may not throw. */
export interface Listener {
  rung(incoming: Incoming): void;
  /** Somebody known rang with a key that is not known to be theirs; nothing came of it. */
  warned(name: string): void;
}

/** Who rings and waits for an answer, the first one first. */
export class Doorbell {
  readonly #waiting: Incoming[] = [];
  readonly #warnings = new Set<string>();
  #listener: Listener | null = null;

  /** It hears of everybody who waits, and of everything from now on; null for nobody. */
  listen(listener: Listener | null): void {
    this.#listener = listener;
    if (listener === null) return;
    for (const incoming of this.#waiting.slice()) listener.rung(incoming);
    for (const name of this.#warnings) listener.warned(name);
    this.#warnings.clear();
  }

  ring(incoming: Incoming): void {
    this.#waiting.push(incoming);
    void incoming.withdrawn.then(() => this.claim(incoming));
    this.#listener?.rung(incoming);
  }

  warn(name: string): void {
    if (this.#listener === null) this.#warnings.add(name);
    else this.#listener.warned(name);
  }

  /** Whoever waits longest; they wait no more. */
  take(): Incoming | null {
    return this.#waiting.shift() ?? null;
  }

  /** Takes this one out of the row. @returns false when they do not wait any more */
  claim(incoming: Incoming): boolean {
    const at = this.#waiting.indexOf(incoming);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }
}
