import type { PeerCommand } from "../cli/command.ts";
import type { PeerContext } from "../cli/context.ts";
import { UserError } from "../cli/errors.ts";

/** Runs one command of a person. @returns the exit status */
export async function runPeer(command: PeerCommand, _context: PeerContext): Promise<number> {
  switch (command.kind) {
    default:
      throw new UserError("usage", `p2p ${command.kind}: this build does not have it`);
  }
}
