import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";

/** Tells what went wrong and goes on; what the person called off needs no words. @throws what is no error of theirs to mend */
export function tellProblem({ output, signal }: PeerContext, error: unknown): void {
  signal.throwIfAborted();
  if (!(error instanceof UserError)) throw error;
  if (error.code !== "cancelled") output.error(error);
}

/** Somebody known rang with another key. */
export function changedKey(name: string): UserError {
  const hint = `ask ${name} another way whether they changed devices`;
  const message = `${name} tried to reach you with a key that is not known here`;
  return new UserError("peer-key-changed", message, { side: "remote", hint });
}
