import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import { MtuSearch } from "./mtu-search.ts";

/** RFC 8899 §5.1.2: MAX_PROBES, and PMTU_RAISE_TIMER in milliseconds. */
const MAX_PROBES = 3;
const RAISE_AFTER_MS = 600_000;
/** Back at 1200 bytes, until larger ones are tried again; twice as long after each time. Milliseconds. */
const COOL_DOWN_MS = 1_000;
/** Larger packets that worked for so long were no accident. Milliseconds. */
const STABLE_AFTER_MS = 60_000;

/** RFC 8899 §5.2. `fixed` stands for its "disabled": a route that cuts packets up by itself, or may. */
export type MtuState = "fixed" | "base" | "search" | "complete" | "error";

export interface MtuOptions {
  /** Null for a route whose packets stay at 1200 bytes. */
  readonly family: 4 | 6 | null;
  readonly now: number;
}

interface SizeProbe {
  readonly number: number;
  readonly bytes: number;
  readonly lostAt: number;
}

/**
 * The largest packets that one path carries, by datagram packetization layer path MTU discovery, RFC 8899: from the 1200 bytes that the
 * route has proven, by probes that carry nothing else, so that a lost one costs nothing. Tells when a probe is due and how long it is;
 * told what became of it. ICMP plays no part.
 */
export class Mtu {
  /** What a packet of this path may have. */
  bytes = MIN_DATAGRAM_BYTES;
  #state: MtuState;
  readonly #family: 4 | 6;
  #search: MtuSearch | null = null;
  #probe: SizeProbe | null = null;
  /** Probes of the length that is being tried that were lost. */
  #lostProbes = 0;
  #dueAt: number;
  #coolDownMs = COOL_DOWN_MS;
  #raisedAtMs: number;

  constructor({ family, now }: MtuOptions) {
    this.#state = family === null ? "fixed" : "base";
    this.#family = family ?? 4;
    this.#dueAt = this.#raisedAtMs = now;
  }

  get state(): MtuState {
    return this.#state;
  }

  /** When the next probe is due; null while one is on its way, and where there is none ever. */
  get dueAt(): number | null {
    return this.#state === "fixed" || this.#probe !== null ? null : this.#dueAt;
  }

  /** @returns the length of a probe to be sent now */
  poll(now: number): number | null {
    const { dueAt } = this;
    if (dueAt === null || now < dueAt) return null;
    if (this.#search === null) this.#begin();
    const bytes = this.#search?.next ?? null;
    if (bytes === null) this.#complete(now);
    return bytes;
  }

  onSent(number: number, bytes: number, lostAt: number): void {
    this.#probe = { number, bytes, lostAt };
  }

  /** Number of the probe that is on its way; null while none is. */
  get probeNumber(): number | null {
    return this.#probe?.number ?? null;
  }

  /** The probe was acknowledged. */
  onArrived(now: number): void {
    const probe = this.#probe;
    if (probe === null) return;
    this.#probe = null;
    this.#lostProbes = 0;
    this.#search?.onArrived(probe.bytes);
    this.bytes = Math.max(probe.bytes, this.bytes);
    this.#dueAt = this.#raisedAtMs = now;
  }

  /** When the probe counts as lost. */
  pollTimeout(): number | null {
    return this.#probe?.lostAt ?? null;
  }

  handleTimeout(now: number): void {
    const probe = this.#probe;
    if (probe === null || now < probe.lostAt) return;
    this.#probe = null;
    this.#dueAt = now;
    if (++this.#lostProbes >= MAX_PROBES) this.#fail(probe.bytes);
  }

  /** The system says that so much does not even leave this machine: certain, and at once. */
  onRefused(now: number, bytes: number): void {
    if (bytes <= MIN_DATAGRAM_BYTES || this.#state === "fixed") return;
    if (bytes <= this.bytes) return this.onBlackHole(now);
    if (this.#probe?.bytes !== bytes) return;
    this.#probe = null;
    this.#dueAt = now;
    this.#fail(bytes);
  }

  /** Packets longer than 1200 bytes do not arrive any more, RFC 8899 §4.3. */
  onBlackHole(now: number): void {
    if (this.#state === "fixed" || this.bytes === MIN_DATAGRAM_BYTES) return;
    if (now - this.#raisedAtMs >= STABLE_AFTER_MS) this.#coolDownMs = COOL_DOWN_MS;
    this.#fallBack("base", now + this.#coolDownMs);
    this.#coolDownMs = Math.min(2 * this.#coolDownMs, RAISE_AFTER_MS);
  }

  /** Not even 1200 bytes: the path waits until the route has proven them again. */
  onBaseLost(now: number): void {
    if (this.#state !== "fixed") this.#fallBack("error", now);
  }

  #begin(): void {
    this.#state = "search";
    this.#search = new MtuSearch(this.bytes, this.#family);
    this.#lostProbes = 0;
  }

  #fail(bytes: number): void {
    this.#search?.onFailed(bytes);
    this.#lostProbes = 0;
  }

  #complete(now: number): void {
    this.#state = "complete";
    this.#search = null;
    this.#dueAt = now + RAISE_AFTER_MS;
  }

  #fallBack(state: "base" | "error", dueAt: number): void {
    this.#state = state;
    this.bytes = MIN_DATAGRAM_BYTES;
    this.#search = this.#probe = null;
    this.#dueAt = dueAt;
  }
}
