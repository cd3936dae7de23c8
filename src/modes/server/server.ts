import type { ServerCommand } from "../cli/command.ts";
import type { ServerContext } from "../cli/context.ts";

/** `p2p server`: the meeting place until a signal ends it, or a word with it. @returns the exit status */
export async function runServer(command: ServerCommand, context: ServerContext): Promise<number> {
  switch (command.kind) {
    case "server":
      return (await import("./serve.ts")).serve(command, context);
    case "server-key":
    case "server-key-export":
    case "server-key-import":
      return (await import("./key-command.ts")).runKeyCommand(command, context);
    case "server-migrate":
      return (await import("./migrate-command.ts")).runMigrate(command, context);
    default:
      return (await import("./admin-command.ts")).runAdminCommand(command, context);
  }
}
