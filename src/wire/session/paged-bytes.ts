/** Bytes; a power of two. */
const PAGE_BYTES = 65_536;

/**
 * The window of a byte stream that is held in memory, addressed by stream offset. Pages come when something is written to them and go
 * when all before an offset is released, so that memory follows what is really there.
 */
export class PagedBytes {
  readonly #pages = new Map<number, Uint8Array>();
  #firstPage = 0;

  write(offset: number, bytes: Uint8Array): void {
    const start = offset % PAGE_BYTES;
    if (start + bytes.length <= PAGE_BYTES) this.#page(Math.floor(offset / PAGE_BYTES)).set(bytes, start);
    else this.#writeParts(offset, bytes);
  }

  #writeParts(offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const within = (offset + at) % PAGE_BYTES;
      const length = Math.min(bytes.length - at, PAGE_BYTES - within);
      this.#page(Math.floor((offset + at) / PAGE_BYTES)).set(bytes.subarray(at, at + length), within);
      at += length;
    }
  }

  /** Copies `length` bytes that were written before. */
  copyTo(offset: number, length: number, out: Uint8Array, at: number): void {
    for (let done = 0; done < length;) {
      const part = this.view(offset + done, length - done);
      out.set(part, at + done);
      done += part.length;
    }
  }

  /** The bytes from `offset` to the end of their page, at most `length`; not copied, and not changed as long as they are not written again. */
  view(offset: number, length: number): Uint8Array {
    const within = offset % PAGE_BYTES;
    return this.#page(Math.floor(offset / PAGE_BYTES)).subarray(within, Math.min(within + length, PAGE_BYTES));
  }

  /** Forgets what lies before `offset`. Views handed out stay as they are. */
  releaseBefore(offset: number): void {
    const keep = Math.floor(offset / PAGE_BYTES);
    for (; this.#firstPage < keep; this.#firstPage++) this.#pages.delete(this.#firstPage);
  }

  clear(): void {
    this.#pages.clear();
  }

  #page(number: number): Uint8Array {
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const page = new Uint8Array(PAGE_BYTES);
    this.#pages.set(number, page);
    return page;
  }
}
