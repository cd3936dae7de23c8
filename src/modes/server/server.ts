import type { ServerCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";

/** Runs a server, or one of its admin commands. @returns the exit status */
export async function runServer(command: ServerCommand, _context: ServerContext): Promise<number> {
  switch (command.kind) {
    default:
      throw new UserError("usage", `p2p ${command.kind}: this build does not have it`);
  }
}
