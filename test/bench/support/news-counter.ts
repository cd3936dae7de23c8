import type { BenchClient } from "./client.ts";

const PRESENCE = 0x23;
const WINDOW_MS = 1_000;

/** What one client hears of who comes and goes, told from the heads of the messages alone. */
export class NewsCounter {
  /** The most in any second that begins with a message. */
  mostNames = 0;
  mostMessages = 0;
  names = 0;
  readonly #window: { at: number; names: number }[] = [];

  /** Takes the client's `onBytes`. */
  constructor(client: BenchClient) {
    client.onBytes = (plain) => {
      if (plain[1] !== PRESENCE) return false;
      this.#heard(performance.now(), countIn(plain));
      return true;
    };
  }

  /** Forgets what was heard before. */
  reset(): void {
    this.mostNames = this.mostMessages = this.names = 0;
    this.#window.length = 0;
  }

  #heard(at: number, names: number): void {
    this.#window.push({ at, names });
    while ((this.#window[0]?.at ?? at) <= at - WINDOW_MS) this.#window.shift();
    this.names += names;
    this.mostMessages = Math.max(this.mostMessages, this.#window.length);
    this.mostNames = Math.max(
      this.mostNames,
      this.#window.reduce((sum, each) => sum + each.names, 0),
    );
  }
}

/** Of the list in `[presence, changes]`. */
function countIn(plain: Uint8Array): number {
  const head = plain[2] ?? 0;
  return head === 0xdc ? ((plain[3] ?? 0) << 8) | (plain[4] ?? 0) : head & 0x0f;
}
