import type { Readable } from "node:stream";
import type { Clock } from "../../runtime/clock.ts";
import { type Key, KeyDecoder } from "./keys.ts";

/** A sequence comes whole or almost; an escape key comes alone. Milliseconds. */
const QUIET_MS = 50;

/** The keys of a terminal, one by one and unechoed. Close it, and the terminal is as it was. */
export class Keyboard implements Disposable {
  readonly #stdin: Readable;
  readonly #clock: Clock;
  readonly #onKey: (key: Key) => void;
  readonly #decoder = new KeyDecoder();
  #callOff: () => void = () => undefined;

  readonly #onEnd: () => void;

  /** @param onEnd the terminal is gone. Neither may throw */
  constructor(stdin: Readable, clock: Clock, onKey: (key: Key) => void, onEnd: () => void) {
    this.#stdin = stdin;
    this.#clock = clock;
    this.#onKey = onKey;
    this.#onEnd = onEnd;
    setRawMode(stdin, true);
    stdin.on("data", this.#read);
    stdin.on("end", onEnd);
    stdin.resume();
  }

  [Symbol.dispose](): void {
    this.#callOff();
    this.#stdin.off("data", this.#read);
    this.#stdin.off("end", this.#onEnd);
    this.#stdin.pause();
    setRawMode(this.#stdin, false);
  }

  readonly #read = (chunk: Uint8Array | string): void => {
    this.#callOff();
    this.#tell(this.#decoder.feed(typeof chunk === "string" ? Buffer.from(chunk) : chunk));
    if (this.#decoder.pending) this.#callOff = this.#clock.after(QUIET_MS, () => this.#tell(this.#decoder.flush()));
  };

  #tell(keys: readonly Key[]): void {
    for (const key of keys) this.#onKey(key);
  }
}

/** A terminal that is gone has no modes. */
function setRawMode(stdin: Readable, on: boolean): void {
  if (!("setRawMode" in stdin) || typeof stdin.setRawMode !== "function") return;
  try {
    stdin.setRawMode(on);
  } catch {
    // EIO after a hangup: nothing is left to restore.
  }
}
