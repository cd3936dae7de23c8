import { existsSync } from "node:fs";
import type { PeerContext } from "../../src/modes/cli/context.ts";
import { Output } from "../../src/modes/cli/output.ts";
import { Settings } from "../../src/modes/cli/settings.ts";
import type { FlagName } from "../../src/modes/cli/flags.ts";
import type { PathRules } from "../../src/modes/peer/chat/typed-paths.ts";
import type { VirtualTerminal } from "./virtual-terminal.ts";

/** What a command at this terminal gets. @param flags as on the command line: `{ yes: "true" }` */
export function peerContext(
  terminal: VirtualTerminal,
  home: string,
  signal: AbortSignal,
  flags: Readonly<Partial<Record<FlagName, string>>> = {},
): PeerContext {
  const values = new Map(Object.entries(flags).map(([name, text]) => [name as FlagName, [text]]));
  const { stdout, stderr, columns } = terminal;
  const look = { json: false, quiet: false, verbose: false, color: false, redraw: true };
  return {
    settings: new Settings([{ origin: "flag", values, place: (name) => `--${name}` }]),
    output: new Output({ stdout, stderr, ...look, columns }),
    terminal,
    signal,
    env: {},
    home,
  };
}

export const testPaths: PathRules = { userFolder: null, isWindows: false, exists: existsSync };
