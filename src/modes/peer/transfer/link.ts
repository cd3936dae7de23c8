import type { TransferControl } from "../../../wire/messages/transfer.ts";
import type { TransferEvent } from "../../cli/events.ts";
import type { PeerSession } from "../peer-session.ts";

type Without<Event, Keys extends string> = Event extends unknown ? Omit<Event, Keys> : never;

/** What a transfer tells; whose it is, is added on the way out. */
export type BareEvent = Without<TransferEvent, "peer" | "session" | "id">;

/** One transfer's way to the other end and to the person. */
export interface TransferLink {
  readonly session: PeerSession;
  /** 16 bytes, and the same in hex. */
  readonly transfer: Uint8Array;
  readonly id: string;
  /** Monotonic. Milliseconds. */
  readonly now: () => number;
  say(message: TransferControl): Promise<void>;
  emit(event: BareEvent): void;
}
