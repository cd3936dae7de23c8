import { StoreError } from "../../store/errors.ts";
import type { ErrorCode } from "../../wire/errors.ts";
import { WireError } from "../../wire/errors.ts";
import { UserError } from "../cli/errors.ts";

/** A request that is answered with `failed`: nobody's defect. The message is shown to a person at the other end. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  /** When to ask again; 0: the same request fails again. */
  readonly retryMs: number;
  constructor(code: ErrorCode, message: string, retryMs = 0) {
    super(message);
    this.name = "Refusal";
    this.code = code;
    this.retryMs = retryMs;
  }
}

const STORE_RETRY_MS = 5_000;

/** What a rule of the store means to who asked; the others say something about this server and stay here. */
const toldByStore: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "name-taken",
  "bad-name",
  "bad-invite",
  "already-registered",
  "limited",
]);

/** @returns null for our own defects, and for a store in trouble, which the log must hear of */
export function refusalFrom(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error instanceof WireError || error instanceof UserError) return new Refusal(error.code, error.message);
  if (error instanceof StoreError && toldByStore.has(error.code)) return new Refusal(error.code, error.message);
  return null;
}

/** What the other end hears of trouble that is ours. */
export function ourTrouble(error: unknown): Refusal {
  return error instanceof StoreError
    ? new Refusal("busy", "the server cannot reach its accounts", STORE_RETRY_MS)
    : new Refusal("internal", "something went wrong on the server");
}
