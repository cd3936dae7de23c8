import type { Readable, Writable } from "node:stream";
import type { Output } from "./output.ts";
import type { Settings } from "./settings.ts";

/** What a mode gets beside its command. */
export interface Context {
  readonly settings: Settings;
  readonly output: Output;
  readonly terminal: Terminal;
  /** Aborted by SIGINT, SIGTERM, SIGHUP and a reader of stdout that went away; the reason is a `UserError`, `interrupted` or `terminated`. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface PeerContext extends Context {
  /** Absolute; it may not exist yet, see `openHome`. */
  readonly home: string;
}

export interface ServerContext extends Context {
  /** Absolute; it may not exist yet. */
  readonly data: string;
}

/** The three streams, and what may be done with them. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** stdin and stderr are terminals and there is no `--json`: questions may be asked, on stderr. */
  readonly interactive: boolean;
  /** stdout is a terminal too: the guided mode and the chat screen may draw. */
  readonly fullScreen: boolean;
  /** May stderr carry colours and redrawn lines. */
  readonly color: boolean;
  /** Width of stderr now; 80 when it is no terminal. */
  readonly columns: () => number;
}
