import { WireError } from "../errors.ts";
import type { SignallingMessage } from "../messages/signalling.ts";
import { ChannelClient, type ChannelOptions } from "./channel.ts";

/** A message that the server answers: `request` is filled in here. */
export type Request = WithoutRequest<Extract<SignallingMessage, { request: number }>>;
type WithoutRequest<M> = M extends unknown ? Omit<M, "request"> : never;
/** An answer, `failed` among them. */
export type Answer = Extract<SignallingMessage, { request: number }>;

export type PeerEndEvent =
  /** The server has proven its key: what is said from here on is for its eyes only. */
  | { readonly kind: "open" }
  | { readonly kind: "answer"; readonly request: number; readonly message: Answer }
  | { readonly kind: "message"; readonly message: SignallingMessage }
  /** Nothing came for too long, or what came is no channel: the owner closes the socket. */
  | { readonly kind: "over"; readonly why: "silent" | "broken" };

/** A ping goes out when nothing was heard for this long. Milliseconds. */
const PING_AFTER_MS = 20_000;
/** The server is taken for gone when nothing was heard for this long. Milliseconds. */
const SILENT_AFTER_MS = 45_000;
/** And for this long after it was asked for a sign of life. Milliseconds. */
const PROOF_TIMEOUT_MS = 3_000;

/** The peer's end of PROTOCOL.md §5, over a transport that keeps messages whole and in order. */
export class PeerEnd {
  readonly #channel: ChannelClient;
  readonly #events: PeerEndEvent[] = [];
  readonly #out: Uint8Array[] = [];
  readonly #open = new Set<number>();
  #request = 0;
  #heardAt: number;
  #pingedAt: number;
  /** By when an asked-for sign of life must come. */
  #proofBy = Infinity;
  #over = false;

  constructor(options: ChannelOptions & { readonly serverKey: Uint8Array }) {
    this.#channel = new ChannelClient(options);
    this.#heardAt = options.now;
    this.#pingedAt = options.now;
    this.#out.push(this.#channel.start());
  }

  /** Never throws, whatever the bytes. */
  handleMessage(now: number, bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#receive(now, bytes);
      this.#rekey(now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // An unknown kind is a newer server's business; everything else means that the two do not speak the same protocol.
      if (error.code !== "unknown-type") this.#end("broken");
    }
  }

  handleTimeout(now: number): void {
    if (this.#over) return;
    if (now >= this.#silentAt()) return this.#end("silent");
    if (now - this.#lastSign() >= PING_AFTER_MS && this.#channel.isOpen) this.#ping(now);
    this.#rekey(now);
  }

  /** The way to the server may be another now: unless something is heard soon, this channel is over. */
  prove(now: number): void {
    if (this.#over || !this.#channel.isOpen) return;
    this.#proofBy = Math.min(this.#proofBy, now + PROOF_TIMEOUT_MS);
    this.#ping(now);
  }

  pollEvent(): PeerEndEvent | null {
    return this.#events.shift() ?? null;
  }

  pollTransmit(): Uint8Array | null {
    return this.#out.shift() ?? null;
  }

  pollTimeout(): number | null {
    if (this.#over) return null;
    return Math.min(this.#lastSign() + PING_AFTER_MS, this.#silentAt());
  }

  /** Only once `open`. @returns the number that the answer will carry. @throws RangeError for what the table refuses */
  request(message: Request): number {
    const request = ++this.#request;
    this.#out.push(this.#channel.seal({ ...message, request }));
    this.#open.add(request);
    return request;
  }

  /** Only once `open`. @throws RangeError for what the table refuses */
  tell(message: SignallingMessage): void {
    this.#out.push(this.#channel.seal(message));
  }

  #receive(now: number, bytes: Uint8Array): void {
    const wasOpen = this.#channel.isOpen;
    const { reply, message } = this.#channel.handle(bytes);
    this.#heardAt = now;
    this.#proofBy = Infinity;
    if (reply !== null) this.#out.push(reply);
    if (!wasOpen) this.#events.push({ kind: "open" });
    if (message !== null) this.#dispatch(message);
  }

  #dispatch(message: SignallingMessage): void {
    if (message.kind === "ping") this.tell({ kind: "pong" });
    else if (message.kind === "pong") return;
    else if (!("request" in message) || message.request === 0) this.#events.push({ kind: "message", message });
    else if (this.#open.delete(message.request))
      this.#events.push({ kind: "answer", request: message.request, message });
  }

  #ping(now: number): void {
    this.#pingedAt = now;
    this.tell({ kind: "ping" });
  }

  /** Also after each message: a channel that is never quiet needs new keys, too. */
  #rekey(now: number): void {
    const rekey = this.#channel.rekey(now);
    if (rekey !== null) this.#out.push(rekey);
  }

  #silentAt(): number {
    return Math.min(this.#heardAt + SILENT_AFTER_MS, this.#proofBy);
  }

  #lastSign(): number {
    return Math.max(this.#heardAt, this.#pingedAt);
  }

  #end(why: "silent" | "broken"): void {
    this.#over = true;
    this.#events.push({ kind: "over", why });
  }
}
