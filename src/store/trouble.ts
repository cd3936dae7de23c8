/** What an operator should know, although the store goes on without it. Holds no credentials. */
export interface StoreTrouble {
  readonly event: TroubleEvent;
  /** Host and port, as a person knows the place. */
  readonly place: string;
  /** Lower case, no full stop. */
  readonly reason: string;
}

/**
 * - `no-expiry-index`: the database does not clear away what has expired; `sweep()` does
 * - `presence-away`, `presence-back`: the place that nodes share, at most one line in 30 s
 */
export type TroubleEvent = "no-expiry-index" | "presence-away" | "presence-back";

export type OnTrouble = (trouble: StoreTrouble) => void;
