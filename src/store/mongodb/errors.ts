import {
  MongoAPIError,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoNotConnectedError,
  MongoServerError,
  MongoTopologyClosedError,
} from "mongodb";
import { StoreError } from "../errors.ts";
import { DeadlineError } from "./deadline.ts";

/** From the server's list of error codes. */
const DUPLICATE_KEY = 11_000;
const NAMESPACE_EXISTS = 48;
const refusesUs = new Set([13, 18, 8_000]);
const outOfSpace = new Set([14_031]);
/** No primary, stepping down, shutting down, interrupted, over its time, not replicated in time. */
const passing = new Set([
  6, 7, 50, 64, 79, 89, 91, 100, 112, 133, 134, 189, 202, 262, 358, 9_001, 10_107, 11_600, 11_602, 13_435, 13_436,
]);

/** True when a document ran into a unique index. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

export function ignoreDuplicate(error: unknown): void {
  if (!isDuplicate(error)) throw error;
}

export function alreadyExists(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === NAMESPACE_EXISTS;
}

export function refusesCredentials(error: unknown): boolean {
  return error instanceof MongoServerError && refusesUs.has(Number(error.code));
}

/** @returns what to throw in place of what the driver threw; the same error when it is a defect of ours */
export function explain(place: string, action: string, thrown: unknown): unknown {
  const error = unwrapped(thrown);
  if (isOutOfSpace(error)) {
    const hint = "free some space on the database's disk";
    return new StoreError("disk-full", `cannot ${action}: ${place} has no room left`, { hint, cause: error });
  }
  const state = stateIn(error);
  if (state === null) return error;
  return new StoreError("busy", `cannot ${action}: ${place} ${state}`, { hint: "try again soon", cause: error });
}

/** A write of many documents wraps what befell its connection, as if the database had said it. */
function unwrapped(error: unknown): unknown {
  const isWrapped = error instanceof MongoBulkWriteError && error.errorResponse instanceof Error;
  return isWrapped ? error.errorResponse : error;
}

/** @returns null for an error that is no state of the database */
function stateIn(error: unknown): string | null {
  if (error instanceof DeadlineError) return "does not answer";
  if (error instanceof MongoBulkWriteError && error.err !== undefined) return "is not ready"; // not replicated in time
  if (refusesCredentials(error)) return "refuses the user or password";
  if (error instanceof MongoServerError) return isPassing(error) ? "is not ready" : null;
  if (error instanceof MongoAPIError && !isClosed(error)) return null;
  return error instanceof MongoError || isOfNetwork(error) ? "cannot be reached" : null;
}

/** From the look-up of `mongodb+srv:`, or from a socket that dies while the driver writes to it. */
function isOfNetwork(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function isPassing(error: MongoServerError): boolean {
  return passing.has(Number(error.code)) || error.hasErrorLabel("RetryableWriteError");
}

function isClosed(error: MongoAPIError): boolean {
  return (
    error instanceof MongoNotConnectedError ||
    error instanceof MongoClientClosedError ||
    error instanceof MongoTopologyClosedError
  );
}

/** A database on top of SQLite tells it in words alone. */
function isOutOfSpace(error: unknown): boolean {
  if (!(error instanceof MongoServerError)) return false;
  return outOfSpace.has(Number(error.code)) || /disk is full|no space left/i.test(error.message);
}
