import type { Page } from "./accounts.ts";

/** What a channel answers; the values add up to `PresenceEntry.answers`. */
export const answerBits = { chat: 1, files: 2, pipe: 4, ping: 8 } as const;

/** In which order the channels of a person ring. */
export const ranks = { boundToCaller: 0, attended: 1, unattended: 2 } as const;

/** One signed-in channel. Several programs of one device are several entries. */
export interface PresenceEntry {
  readonly deviceId: Uint8Array;
  /** X25519: the device's static key of this channel. */
  readonly deviceKey: Uint8Array;
  /** 16 random bytes, fresh for each channel. */
  readonly connectionId: Uint8Array;
  readonly userId: Uint8Array;
  readonly name: string;
  /** Sum of `answerBits`; 0 answers nothing. */
  readonly answers: number;
  /** Whom it answers, ≤ 16 names; null for anyone. */
  readonly forNames: readonly string[] | null;
  readonly rank: (typeof ranks)[keyof typeof ranks];
  /** Left out of the pages of names and of changes. */
  readonly invisible: boolean;
  /** The server node that holds the channel. */
  readonly nodeId: string;
  readonly sinceMs: number;
}

export interface OnlinePerson {
  readonly userId: Uint8Array;
  readonly name: string;
}

export type PresenceChange = OnlinePerson & { readonly online: boolean };

/**
 * Who is there now; forgotten when the server ends. A node holds a lease that it renews, and a node without one loses its
 * entries at the next sweep. People who are there only invisibly appear in `entriesOf` and `isOnline` alone.
 *
 * A place that several nodes share may be away. Then nothing here rejects for that: the store answers from what this node
 * has added, and brings both in line when the place is back.
 */
export interface PresenceStore extends AsyncDisposable {
  /** Adds a channel, or replaces what is known of it. */
  add(entry: PresenceEntry): Promise<void>;
  /** Removes exactly this channel: a late close never hides a person who came back. @returns false when it was not there */
  remove(deviceId: Uint8Array, connectionId: Uint8Array): Promise<boolean>;
  /** Every channel of a person, by rank, then oldest first. */
  entriesOf(userId: Uint8Array): Promise<readonly PresenceEntry[]>;
  isOnline(userId: Uint8Array): Promise<boolean>;
  /** Each person once, in order of name. */
  online(page: Page): Promise<readonly OnlinePerson[]>;
  /** @returns false when the node held no lease: its entries may be gone, and it adds all of them again */
  renewNode(nodeId: string, leaseEndsAtMs: number): Promise<boolean>;
  /** The node says goodbye: its lease and entries go. */
  removeNode(nodeId: string): Promise<void>;
  /** Removes the entries of nodes whose lease has ended. */
  sweep(nowMs: number): Promise<void>;
  /** The nodes that hold a lease. */
  nodes(): Promise<readonly string[]>;
  /**
   * The time by which nodes agree on leases, so that one whose clock is wrong does not sweep the others: that of the place
   * they share, or `ownMs`, the caller's own Unix milliseconds, where there is none.
   */
  timeMs(ownMs: number): Promise<number>;
  /**
   * Tells who came and who went, several in one call, never while a method of the store runs; who went and came back
   * meanwhile is not named. The listener must not throw. @returns a function that ends it
   */
  subscribe(listener: (changes: readonly PresenceChange[]) => void): () => void;
}
