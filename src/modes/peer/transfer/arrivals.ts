import { toHex } from "../../../wire/bytes.ts";
import { type ErrorCode, WireError } from "../../../wire/errors.ts";
import type { ByteReader } from "../peer-session.ts";
import { BulkInput } from "./message-stream.ts";

/** Streams of the other end that wait: for their first message, or for the offer that they belong to, which may come later. */
const MAX_WAITING = 16;

export type StreamKind = "pagesOf" | "dataOf";

/** Where the stream of a transfer goes: to whoever takes it, to wait for its offer, or nowhere. */
export interface Directory {
  taker(id: string): { takeStream(kind: StreamKind, input: BulkInput): void } | null;
  /** Its offer came already, and whatever came of it is over. */
  isPast(id: string): boolean;
}

/** The bulk streams that the other end opens, until the transfer that each one names takes it. */
export class Arrivals {
  readonly #directory: Directory;
  /** Lists that came before their offers. */
  readonly #early = new Map<string, BulkInput>();
  #unnamed = 0;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** Never rejects: a stream that makes no sense is stopped. */
  async opened(stream: ByteReader): Promise<void> {
    if (this.#unnamed + this.#early.size >= MAX_WAITING) return stream.stop("limited");
    const input = new BulkInput(stream);
    this.#unnamed += 1;
    try {
      const head = await input.next();
      if (head?.kind !== "pagesOf" && head?.kind !== "dataOf")
        throw new WireError("bad-message", "a stream of nothing");
      this.#named(toHex(head.transfer), head.kind, input);
    } catch {
      stream.stop("bad-message");
    } finally {
      this.#unnamed -= 1;
    }
  }

  /** @returns the list that was there before its offer */
  claim(id: string): BulkInput | null {
    const input = this.#early.get(id) ?? null;
    this.#early.delete(id);
    return input;
  }

  stopAll(code: ErrorCode): void {
    for (const input of this.#early.values()) input.stop(code);
    this.#early.clear();
  }

  #named(id: string, kind: StreamKind, input: BulkInput): void {
    const taker = this.#directory.taker(id);
    if (taker !== null) return taker.takeStream(kind, input);
    // The offer travels on another stream and may be behind; data waits for our word and cannot be ahead.
    if (kind === "dataOf" || this.#directory.isPast(id) || this.#early.has(id)) return input.stop("cancelled");
    this.#early.set(id, input);
  }
}
