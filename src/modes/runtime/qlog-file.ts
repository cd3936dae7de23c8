import { closeSync, constants, openSync, rmSync, write } from "node:fs";
import { promisify } from "node:util";

/** What may wait for the disk; beyond it nothing is taken. UTF-16 units. */
const MAX_WAITING = 8 * 1_024 * 1_024;
/** So much goes out at once, or what there is after this time. */
const BATCH = 64 * 1_024;
const BATCH_MS = 200;

const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY;
const writeTo = promisify(write);

/** A new file for this person alone that text is appended to, behind whoever gives it: they never wait and never hear of trouble. */
export class QlogFile {
  readonly #path: string;
  readonly #handle: number;
  readonly #onTrouble: (error: unknown) => void;
  #waiting: string[] = [];
  #waitingLength = 0;
  #timer: Timer | undefined;
  /** Resolves when what is being written has been. */
  #writing: Promise<void> | null = null;
  #state: "open" | "failed" | "closed" = "open";
  #isEmpty = true;
  #closing: Promise<void> | null = null;

  /** @param onTrouble called once, when writing failed; nothing is taken any more then */
  constructor(path: string, handle: number, onTrouble: (error: unknown) => void) {
    this.#path = path;
    this.#handle = handle;
    this.#onTrouble = onTrouble;
  }

  /** @throws what the system says; `EEXIST` when there is such a file */
  static create(path: string, onTrouble: (error: unknown) => void): QlogFile {
    return new QlogFile(path, openSync(path, NEW_FILE, 0o600), onTrouble);
  }

  /** @returns false when it is not taken */
  add(text: string): boolean {
    if (this.#state !== "open" || this.#waitingLength + text.length > MAX_WAITING) return false;
    this.#isEmpty = false;
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    if (this.#waitingLength >= BATCH) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
    return true;
  }

  /** Writes what waits, and leaves no file behind that nothing was written to. Never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#flush();
    while (this.#writing !== null) await this.#writing;
    if (this.#state === "open") closeSync(this.#handle);
    if (this.#isEmpty) rmSync(this.#path, { force: true });
    this.#state = "closed";
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== null || this.#waiting.length === 0 || this.#state !== "open") return;
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#writing = this.#write(text);
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length;)
        at += (await writeTo(this.#handle, bytes, at, bytes.length - at, null)).bytesWritten;
      this.#waitingLength -= text.length;
    } catch (error) {
      this.#fail(error);
    }
    this.#writing = null;
    this.#flush();
  }

  #fail(error: unknown): void {
    this.#state = "failed";
    this.#waiting = [];
    closeSync(this.#handle);
    this.#onTrouble(error);
  }
}
