import { kindOf, type RecordKind, type Row, titleOf } from "../../store/records.ts";
import { UserError } from "../cli/errors.ts";

// What ends a migration. Places are named without credentials.

export function isInUse(place: string, generation: number, expected: number): UserError {
  const state = `a server has run on it (its generation is ${generation}, that of the source ${expected})`;
  return failure(
    `cannot copy into ${place}: ${state}`,
    "use an empty store; what was copied before may be in use already",
  );
}

export function isForeign(place: string, source: string, kind: RecordKind, row: Row): UserError {
  const state = `it holds the ${titleOf(kind, row)}, which ${source} has not`;
  return failure(`cannot copy into ${place}: ${state}`, "use an empty store; nothing was overwritten");
}

export function isAnother(place: string, source: string, kind: RecordKind, row: Row): UserError {
  const state = `its ${titleOf(kind, row)} is another than that of ${source}`;
  return failure(`cannot copy into ${place}: ${state}`, "use an empty store; nothing was overwritten");
}

export function nothingThere(source: string): UserError {
  return failure(`there is nothing to copy: ${source} is empty`, "check the path, or the name of the database");
}

export function writtenTo(source: string): UserError {
  const hint = "stop every server that uses it, and copy once more, into an empty store";
  return failure(`the copy is not whole: ${source} was written to meanwhile`, hint);
}

export function differs(place: string, source: string, kind: RecordKind): UserError {
  const hint = "stop whatever writes there, and run this again";
  return failure(`the copy is not whole: the ${kindOf(kind).title}s in ${place} are not those of ${source}`, hint);
}

export function isProblem(place: string, problem: string): UserError {
  return failure(`the copy in ${place} cannot be used: ${problem}`, "copy once more, into an empty store");
}

function failure(message: string, hint: string): UserError {
  return new UserError("config", message, { hint });
}
