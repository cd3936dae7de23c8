import { copyBytes } from "../bytes.ts";

/** Bytes; a power of two. */
const PAGE_BYTES = 65_536;
/** Pages that a pool keeps. */
const MAX_SPARE_PAGES = 64;

/** Pages that were written to and are free again, for all streams of a session: fresh memory costs more than what is put into it. */
export class PagePool {
  readonly #spares: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#spares.pop() ?? new Uint8Array(PAGE_BYTES);
  }

  give(page: Uint8Array): void {
    if (this.#spares.length < MAX_SPARE_PAGES) this.#spares.push(page);
  }
}

/**
 * The window of a byte stream that is held in memory, addressed by stream offset. Pages come when something is written to them and go
 * when all before an offset is released, so that memory follows what is really there.
 */
export class PagedBytes {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #pool: PagePool | null;
  #firstPage = 0;

  /** @param pool where pages come from and go to; null where views of them live on, whose memory is then never used again */
  constructor(pool: PagePool | null) {
    this.#pool = pool;
  }

  /** @param from where in `bytes` they lie, up to `to` */
  write(offset: number, bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    for (let at = from, end = offset; at < to;) {
      const within = end % PAGE_BYTES;
      const length = Math.min(to - at, PAGE_BYTES - within);
      copyBytes(bytes, at, at + length, this.#pageOf(end), within);
      at += length;
      end += length;
    }
  }

  /** Copies `length` bytes that were written before. */
  copyTo(offset: number, length: number, out: Uint8Array, at: number): void {
    for (let done = 0; done < length;) {
      const within = (offset + done) % PAGE_BYTES;
      const part = Math.min(length - done, PAGE_BYTES - within);
      copyBytes(this.#pageOf(offset + done), within, within + part, out, at + done);
      done += part;
    }
  }

  /** The bytes from `offset` to the end of their page, at most `length`; not copied, and not changed as long as they are not written again. */
  view(offset: number, length: number): Uint8Array {
    const within = offset % PAGE_BYTES;
    return this.#pageOf(offset).subarray(within, Math.min(within + length, PAGE_BYTES));
  }

  /** Forgets what lies before `offset`. Views handed out stay as they are. */
  releaseBefore(offset: number): void {
    const keep = Math.floor(offset / PAGE_BYTES);
    for (; this.#firstPage < keep; this.#firstPage++) this.#release(this.#firstPage);
  }

  clear(): void {
    this.#pages.clear();
  }

  #release(number: number): void {
    const page = this.#pages.get(number);
    this.#pages.delete(number);
    if (page !== undefined) this.#pool?.give(page);
  }

  #pageOf(offset: number): Uint8Array {
    const number = Math.floor(offset / PAGE_BYTES);
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const page = this.#pool?.take() ?? new Uint8Array(PAGE_BYTES);
    this.#pages.set(number, page);
    return page;
  }
}
