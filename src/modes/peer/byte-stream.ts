import { errorCodeOf, errorNumber, type ErrorCode } from "../../wire/errors.ts";
import { UserError } from "../cli/errors.ts";
import type { ByteReader, ByteWriter } from "./peer-session.ts";
import type { StreamHost } from "./stream-host.ts";

/** Our half of a bulk stream. One `write` at a time. */
export class StreamWriter implements ByteWriter {
  readonly #host: StreamHost;
  readonly #stream: number;
  #room: PromiseWithResolvers<void> | null = null;
  readonly #acked = Promise.withResolvers<void>();
  #ended: UserError | null = null;

  constructor(host: StreamHost, stream: number) {
    this.#host = host;
    this.#stream = stream;
    this.#acked.promise.catch(() => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#ended !== null) throw this.#ended;
      const taken = this.#host.write(this.#stream, rest);
      rest = rest.subarray(taken);
      if (rest.length > 0) await this.#waitForRoom();
    }
  }

  finish(): Promise<void> {
    if (this.#ended === null) this.#host.finish(this.#stream);
    return this.#acked.promise;
  }

  reset(code: ErrorCode): void {
    if (this.#ended !== null) return;
    this.#host.reset(this.#stream, errorNumber(code));
    this.end(new UserError(code, "given up"));
  }

  onWritable(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  /** All of it, and that it ends here, was acknowledged. */
  onAcked(): void {
    this.#acked.resolve();
  }

  /** The other end asked us to stop. */
  onStopped(code: number): void {
    if (this.#ended === null) this.#host.reset(this.#stream, code);
    this.end(new UserError(errorCodeOf(code), "the other side does not want the rest", { side: "remote" }));
  }

  end(why: UserError): void {
    this.#ended ??= why;
    this.#room?.reject(why);
    this.#room = null;
    this.#acked.reject(why);
  }

  #waitForRoom(): Promise<void> {
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }
}

/** The other end's half of a bulk stream. One `read` at a time. */
export class StreamReader implements ByteReader {
  readonly #host: StreamHost;
  readonly #stream: number;
  #more: PromiseWithResolvers<void> | null = null;
  #isComplete = false;
  #ended: UserError | null = null;

  constructor(host: StreamHost, stream: number) {
    this.#host = host;
    this.#stream = stream;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#ended !== null) throw this.#ended;
      const bytes = this.#host.read(this.#stream);
      if (bytes !== null) return bytes;
      if (this.#isComplete) return null;
      this.#more ??= Promise.withResolvers<void>();
      await this.#more.promise;
    }
  }

  consumed(bytes: number): void {
    if (this.#ended === null) this.#host.consumed(this.#stream, bytes);
  }

  stop(code: ErrorCode): void {
    if (this.#ended !== null || this.#isComplete) return;
    this.#host.stop(this.#stream, errorNumber(code));
    this.end(new UserError(code, "not wanted any more"));
  }

  onReadable(): void {
    this.#more?.resolve();
    this.#more = null;
  }

  /** The last byte has come; what was not read yet still can be. */
  onFinished(): void {
    this.#isComplete = true;
    this.onReadable();
  }

  onReset(code: number): void {
    this.end(new UserError(errorCodeOf(code), "the other side gave up", { side: "remote" }));
  }

  end(why: UserError): void {
    this.#ended ??= why;
    this.#more?.reject(why);
    this.#more = null;
  }
}
