import { UserError } from "../cli/errors.ts";

/** An answer that its question does not allow: the server's defect. */
export function unexpected(kind: string): UserError {
  return new UserError("internal", `the server answered ${kind}, which makes no sense here`, { side: "server" });
}
