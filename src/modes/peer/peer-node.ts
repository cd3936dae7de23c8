import type { ErrorCode } from "../../wire/errors.ts";
import type { Purpose, ranks } from "../../wire/messages/signalling.ts";
import type { FileSummary, Trust } from "../cli/events.ts";
import type { PeerSession } from "./peer-session.ts";
import type { People } from "./people.ts";

export interface OfferPreview {
  readonly count: number;
  readonly bytes: number;
  /** The few that a sealed preview has room for. */
  readonly first: readonly FileSummary[];
}

/** What to ask somebody's device for. */
export interface Asking {
  readonly purpose: Purpose;
  /** One line that stands in their question; "" for none. */
  readonly greeting?: string;
  /** With purpose `files`. */
  readonly offer?: OfferPreview;
  /** How long they may take to answer. Milliseconds. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** One of their devices was told: now it is for a person to answer. May not throw. */
  readonly onRinging?: () => void;
}

/** Somebody rings. Answer once: accept or decline. */
export interface Incoming {
  /** 32 hex characters. */
  readonly session: string;
  readonly from: string;
  readonly purpose: Purpose;
  readonly trust: Trust;
  /** As sent: clean it before showing it. */
  readonly greeting: string;
  /** As sent: clean the names before showing them. */
  readonly offer: OfferPreview | null;
  /** @throws UserError when they are gone by now */
  accept(): Promise<PeerSession>;
  /** `declined` ends the ringing on all devices, any other code on this one. */
  decline(code: ErrorCode): void;
  /** Resolves when they gave up (`cancelled`) or another device answered (`answered-elsewhere`). */
  readonly withdrawn: Promise<ErrorCode>;
}

/** What this program answers, and for whom. */
export interface Listening {
  readonly answers: readonly Purpose[];
  /** Nobody named: anyone. */
  readonly people: readonly string[];
  readonly rank: keyof typeof ranks;
  /** May not throw. */
  onIncoming(incoming: Incoming): void;
  /** Somebody known rang with a key that is not theirs as far as we know; nothing came of it. May not throw. */
  onChangedKey?(name: string): void;
}

export interface Presence {
  readonly name: string;
  readonly online: boolean;
}

/** A signed-in person's program: the server, the sockets and everybody's keys behind it. */
export interface PeerNode extends AsyncDisposable {
  /** One's own name. */
  readonly name: string;
  /** host:port of the server in use. */
  readonly server: string;
  readonly people: People;
  /** Rings somebody's trusted devices until one answers. @throws UserError `offline`, `no-answer`, `declined`, `peer-key-changed`, … */
  ask(person: string, asking: Asking): Promise<PeerSession>;
  /** From now on others can find this program; again with other words to change that. Survives a break of the line to the server. */
  listen(listening: Listening): Promise<void>;
  /** Everybody the server tells of, sorted by name, with oneself left out. */
  users(): Promise<readonly Presence[]>;
  /** Called at once with who is online, and with every change, at most once a second, until the node is closed. One handler. */
  watchUsers(onChange: (changes: readonly Presence[]) => void): void;
  /** True and false as the line to the server comes and goes. One handler. */
  onServer(handler: (up: boolean) => void): void;
  /** Rejects when the server will not have this device any more; never resolves. */
  readonly failed: Promise<never>;
}
