import type { Context } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { readPasswordFile } from "../../cli/password-file.ts";

/**
 * The first line of a file, or of stdin for `-`, or else what the person types.
 * @throws UserError as `readPasswordFile`, or `interrupted` when the person backs out
 */
export async function obtainPassword(
  { terminal }: Context,
  file: string | null,
  ask: () => Promise<string | null>,
): Promise<string> {
  if (file !== null) return readPasswordFile(file, terminal.stdin);
  const answer = await ask();
  if (answer === null) throw new UserError("interrupted", "no password was given", { hint: "try again" });
  return answer;
}
