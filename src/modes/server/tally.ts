import type { ErrorCode } from "../../wire/errors.ts";
import type { PathKind } from "../cli/events.ts";

export const pathKinds: readonly PathKind[] = ["lan", "direct", "port-mapped", "relay-udp", "relay-ws"];

/** Where somebody was told `limited` or `busy`: connecting, signing in, any message, a ring, another request, sending over a relay leg. */
export const limitKinds = ["connections", "sign-ins", "messages", "rings", "requests", "relay"] as const;
export type LimitKind = (typeof limitKinds)[number];

export interface AccountBytes {
  readonly name: string;
  readonly bytes: number;
}

/** Beyond this the account that relayed longest ago is forgotten; the sum stays right. */
const MAX_ACCOUNTS = 100_000;

/** What this node has counted since it started, for the operator. Nothing of it is kept, or says who spoke with whom. */
export class Tally {
  /** Monotonic ms. */
  readonly startedAt: number;
  readonly #sessions = new Map<PathKind, number>();
  readonly #limits = new Map<LimitKind, number>();
  readonly #accounts = new Map<string, number>();
  readonly #maxAccounts: number;
  #relayedBytes = 0;

  constructor(now: number, maxAccounts = MAX_ACCOUNTS) {
    this.startedAt = now;
    this.#maxAccounts = maxAccounts;
  }

  get relayedBytes(): number {
    return this.#relayedBytes;
  }

  sessionsEnded(path: PathKind): number {
    return this.#sessions.get(path) ?? 0;
  }

  limitsHit(kind: LimitKind): number {
    return this.#limits.get(kind) ?? 0;
  }

  /** Those who sent most, most first. */
  topAccounts(count: number): readonly AccountBytes[] {
    const accounts = [...this.#accounts].map(([name, bytes]) => ({ name, bytes }));
    return accounts.sort((a, b) => b.bytes - a.bytes).slice(0, count);
  }

  /** One of the two ends said so; it may lie. */
  sessionEnded(path: PathKind): void {
    this.#sessions.set(path, this.sessionsEnded(path) + 1);
  }

  /** Any other code than `limited` and `busy` is no limit and counts nothing. */
  refused(kind: LimitKind, { code }: { readonly code: ErrorCode }): void {
    if (code === "limited" || code === "busy") this.#limits.set(kind, this.limitsHit(kind) + 1);
  }

  /** @param sender name of the account that the packets came from */
  relayed(sender: string, bytes: number): void {
    this.#relayedBytes += bytes;
    const before = this.#accounts.get(sender) ?? 0;
    this.#accounts.delete(sender);
    this.#accounts.set(sender, before + bytes);
    const oldest = this.#accounts.keys().next();
    if (this.#accounts.size > this.#maxAccounts && oldest.done !== true) this.#accounts.delete(oldest.value);
  }
}
