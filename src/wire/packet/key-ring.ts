import { PREVIOUS_KEY_MS } from "../limits.ts";
import { EPOCHS_IN_HEADER, epochAt } from "./header.ts";
import { type EpochKeys, type KeyLimits, keyLimits, PacketProtection } from "./protection.ts";

interface Held {
  readonly protection: PacketProtection;
  /** Null while nothing newer is in use. */
  expiresAtMs: number | null;
}

/**
 * The epochs of a session: one to send under, and those whose packets still open. A newer one is sent under as soon as the other end
 * has proved that it has it, never earlier unless the caller knows; from then on the older ones open for 15 s more.
 */
export class KeyRing {
  readonly #limits: KeyLimits;
  /** By the epoch's lower 4 bits. */
  readonly #held: (Held | undefined)[] = Array.from({ length: EPOCHS_IN_HEADER });
  #sending: PacketProtection;
  #newest: PacketProtection;

  constructor(first: EpochKeys, limits: KeyLimits = keyLimits) {
    this.#limits = limits;
    this.#sending = this.#newest = this.#hold(first);
  }

  /** What to seal under now. */
  get sending(): PacketProtection {
    return this.#sending;
  }

  /** The number of the newest epoch, in use or not yet. */
  get newestEpoch(): number {
    return this.#newest.epoch;
  }

  /** Packets under these keys open from now on; the first that does moves sending there. @throws RangeError unless the epoch is newer than all */
  add(keys: EpochKeys): void {
    if (keys.epoch <= this.#newest.epoch) throw new RangeError("an epoch must be newer than all before");
    this.#newest = this.#hold(keys);
  }

  /** For the end that knows the other has the newest keys: the one that read the last message of their handshake. */
  sendUnderNewest(now: number): void {
    this.#sendUnder(now, this.#newest);
  }

  /** @returns the plaintext, in memory of its own; null for an epoch not held or a packet not authentic */
  open(now: number, bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    const held = this.#held[epochAt(bytes, start)];
    if (held === undefined || isExpired(held, now)) return null;
    const plaintext = held.protection.open(bytes, start, end);
    if (plaintext !== null && held.protection.epoch > this.#sending.epoch) this.#sendUnder(now, held.protection);
    return plaintext;
  }

  /** Forgets keys past their time. */
  handleTimeout(now: number): void {
    for (const [nibble, held] of this.#held.entries())
      if (held !== undefined && isExpired(held, now)) this.#held[nibble] = undefined;
  }

  pollTimeout(): number | null {
    const times = this.#held.flatMap((held) => held?.expiresAtMs ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  #hold(keys: EpochKeys): PacketProtection {
    const protection = new PacketProtection(keys, this.#limits);
    this.#held[keys.epoch % EPOCHS_IN_HEADER] = { protection, expiresAtMs: null };
    return protection;
  }

  #sendUnder(now: number, protection: PacketProtection): void {
    this.#sending = protection;
    for (const held of this.#held)
      if (held !== undefined && held.protection.epoch < protection.epoch) held.expiresAtMs ??= now + PREVIOUS_KEY_MS;
  }
}

function isExpired(held: Held, now: number): boolean {
  return held.expiresAtMs !== null && now >= held.expiresAtMs;
}
