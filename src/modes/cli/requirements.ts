import type { Command, EnrolCommand, PasswdCommand } from "./command.ts";
import type { Terminal } from "./context.ts";
import { missingAnswer, usageError } from "./problem.ts";
import type { Settings } from "./settings.ts";

type Answers = Pick<Settings, "server" | "trustFirstUse" | "yes" | "no">;

/**
 * Where nobody can be asked, every answer must be there before anything is connected. What depends on the account of the home,
 * such as the server of a `login`, its command checks likewise.
 * @throws UserError `usage` that names the flag
 */
export function requireAnswers(command: Command, settings: Answers, terminal: Terminal): void {
  if (command.kind === "peer" && !terminal.fullScreen) {
    const hint = "use p2p register, msg, send, receive and so on; see p2p help";
    throw usageError("p2p without a command asks questions, and there is no terminal to ask at", hint);
  }
  if (!terminal.interactive) requireFlags(command, settings);
}

function requireFlags(command: Command, settings: Answers): void {
  if (command.kind === "register" || command.kind === "login" || command.kind === "passwd") requirePassword(command);
  if (command.kind === "register") requireServer(settings);
  if (command.kind === "login") requireTrust(settings);
  if (command.kind === "receive" && !settings.yes && !settings.no)
    throw missingAnswer("the answer to offers", "--yes to accept all, or --no");
}

function requirePassword(command: EnrolCommand | PasswdCommand): void {
  if (command.passwordFile === null)
    throw missingAnswer("the password", "--password-file FILE, or --password-file - for stdin");
  if (command.kind === "passwd" && command.newPasswordFile === null)
    throw missingAnswer("the new password", "--new-password-file FILE");
}

/** Of a command that cannot know its server otherwise. @throws UserError `usage` */
export function requireServer(settings: Pick<Settings, "server" | "trustFirstUse">): void {
  if (settings.server === null) throw missingAnswer("the server", "--server JOIN-LINE");
  requireTrust(settings);
}

function requireTrust(settings: Pick<Settings, "server" | "trustFirstUse">): void {
  if (settings.server !== null && settings.server.key === null && !settings.trustFirstUse)
    throw missingAnswer("the server's key", "#KEY to the join line, or --trust-first-use");
}
