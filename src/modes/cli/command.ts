import type { ProxyNetwork } from "./addresses.ts";
import type { Limits } from "./limits.ts";

/** What the person asked for, checked and complete: one member per verb. `src/modes/cli/grammar.ts` makes them. */
export type Command = PeerCommand | ServerCommand | VersionCommand | HelpCommand;

/** A user name in lower case, or {@link SELF}. */
export type Person = string;

/** The person of `@me`: one's own other devices. No account can have this name, it is too short. */
export const SELF = "me";

/** A file, or `-` for stdin. */
export type FileOrStdin = string;

export type PeerCommand =
  | GuidedCommand
  | EnrolCommand
  | { readonly kind: "logout" | "whoami" | "devices" | "users" | "contacts" }
  | PasswdCommand
  | { readonly kind: "device-revoke"; readonly id: string }
  | { readonly kind: "block" | "unblock"; readonly person: Person }
  | { readonly kind: "chat"; readonly person: Person }
  | MessageCommand
  | SendCommand
  | ReceiveCommand
  | PingCommand
  | DoctorCommand
  | VerifyCommand;

export type ServerCommand =
  | ServeCommand
  | { readonly kind: "server-invite"; readonly uses: number; readonly days: number }
  | { readonly kind: "server-users" | "server-status" }
  | { readonly kind: "server-revoke" | "server-block" | "server-unblock" | "server-passwd"; readonly name: string }
  | MigrateCommand
  | ServerKeyCommand;

export function isServerCommand(command: Command): command is ServerCommand {
  return command.kind === "server" || command.kind.startsWith("server-");
}

export interface VersionCommand {
  readonly kind: "version";
}

export interface HelpCommand {
  readonly kind: "help";
  /** Words of a verb, such as `contacts block`; null for the overview. */
  readonly topic: string | null;
}

/** `p2p`, `p2p peer`, `p2p JOIN`: guided, on a terminal only. */
export interface GuidedCommand {
  readonly kind: "peer";
}

export interface EnrolCommand {
  readonly kind: "register" | "login";
  readonly name: string;
  readonly passwordFile: FileOrStdin | null;
  /** What to call this device; null: the caller's choice, the host's name. */
  readonly deviceLabel: string | null;
}

export interface PasswdCommand {
  readonly kind: "passwd";
  readonly passwordFile: FileOrStdin | null;
  readonly newPasswordFile: FileOrStdin | null;
}

export interface MessageCommand {
  readonly kind: "msg";
  readonly person: Person;
  /** Null: stdin to its end is the one message. */
  readonly text: string | null;
}

export interface SendCommand {
  readonly kind: "send";
  /** As typed; at least one. */
  readonly paths: readonly FileOrStdin[];
  /** In order, each once; at least one. Served one after the other. */
  readonly to: readonly Person[];
  /** The name that stdin is offered under; set exactly when `paths` holds `-`. */
  readonly stdinName: string | null;
}

export interface ReceiveCommand {
  readonly kind: "receive";
  /** Null: the current folder. */
  readonly outFolder: string | null;
  /** Empty: anyone. */
  readonly from: readonly Person[];
  readonly once: boolean;
  readonly conflict: "number" | "skip" | "refuse";
  /** Larger offers are declined. Bytes; null: no limit. */
  readonly maxBytes: number | null;
}

export interface PingCommand {
  readonly kind: "ping";
  readonly person: Person;
  readonly count: number;
  readonly untilDirect: boolean;
}

export interface DoctorCommand {
  readonly kind: "doctor";
  /** Null: only the network here. */
  readonly person: Person | null;
}

export interface VerifyCommand {
  readonly kind: "verify";
  readonly person: Person;
  /** 60 digits to compare with, blanks removed; null: only show. */
  readonly matches: string | null;
  readonly reset: boolean;
}

/** `p2p server`: run the meeting place. */
export interface ServeCommand {
  readonly kind: "server";
  /** At least one. */
  readonly listen: readonly ListenAddress[];
  readonly advertise: AdvertisedPlace | null;
  /** Of this node alone, where there are several. */
  readonly advertiseNode: AdvertisedAddress | null;
  readonly openRegistration: boolean;
  readonly noRelay: boolean;
  /** Where figures for Prometheus are served, no host meaning loopback; null: nowhere. */
  readonly metrics: ListenAddress | null;
  /** PEM files, for wss in place of ws; null: ws. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Whose word about where people come from is believed. */
  readonly trustedProxies: readonly ProxyNetwork[];
  readonly limits: Limits;
  /** Look at settings, keys and store, say what is wrong, make and serve nothing. */
  readonly check: boolean;
  readonly logLevel: "error" | "warn" | "info" | "debug";
}

/** `server key` shows the fingerprint; `export F` and `import F` carry the key itself. */
export interface ServerKeyCommand {
  readonly kind: "server-key" | "server-key-export" | "server-key-import";
  /** Null for `server-key` alone. */
  readonly file: string | null;
}

/** `server migrate`. The store that is not named is the one of this server; one at least is. */
export interface MigrateCommand {
  readonly kind: "server-migrate";
  readonly from: string | null;
  readonly to: string | null;
}

export interface ListenAddress {
  /** A name or canonical address; null: every address of both families. */
  readonly host: string | null;
  /** 0: any free one. */
  readonly port: number;
}

/** What stands in join lines before the key. */
export interface AdvertisedPlace {
  /** Whether people come by wss; null: as the server itself speaks. */
  readonly secure: boolean | null;
  /** At least one. */
  readonly nodes: readonly AdvertisedAddress[];
}

export interface AdvertisedAddress {
  readonly host: string;
  /** Null: the port listened on. */
  readonly port: number | null;
}
