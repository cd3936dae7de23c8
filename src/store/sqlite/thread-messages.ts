import type { ErrorCode } from "../../wire/errors.ts";
import { StoreError } from "../errors.ts";
import type { Call } from "./writes.ts";

/** Which file the thread opens, and how long it waits for the lock of another process. */
export interface ThreadData {
  readonly place: string;
  readonly busyWaitMs: number;
}

/** What the thread is told: calls that are committed together, in their order; or null, to close the file and end. */
export type Order = readonly Call[] | null;

/** What it answers to calls: what became of each, or why none of them was done. */
export type Report = { readonly outcomes: readonly Outcome[] } | { readonly error: PlainError };

export type Outcome = { readonly value: unknown } | { readonly error: PlainError };

/** An error as it crosses: the copy that the runtime makes of one has no code. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a StoreError. */
  readonly code: ErrorCode | null;
  readonly hint: string | undefined;
}

export function toPlain(error: unknown): PlainError {
  if (!(error instanceof Error)) return { ...NONE, message: String(error) };
  const { name, message, stack } = error;
  if (!(error instanceof StoreError)) return { ...NONE, name, message, stack };
  const { code, hint } = error;
  return { name, message, stack, code, hint };
}

export function fromPlain({ name, message, stack, code, hint }: PlainError): Error {
  if (code !== null) return new StoreError(code, message, hint === undefined ? {} : { hint });
  const error = name === "TypeError" ? new TypeError(message) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

const NONE: PlainError = { name: "Error", message: "", stack: undefined, code: null, hint: undefined };
