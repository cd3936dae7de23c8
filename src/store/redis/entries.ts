import { fromHex, toHex, utf8 } from "../../wire/bytes.ts";
import { requireEntry } from "../checks.ts";
import type { OnlinePerson, PresenceChange, PresenceEntry } from "../presence.ts";

/** As it stands in Redis, where the scripts read `u`, `n`, `i` and `o`. */
interface StoredEntry {
  readonly d: string;
  readonly k: string;
  readonly c: string;
  readonly u: string;
  readonly n: string;
  readonly a: number;
  readonly f: readonly string[] | null;
  readonly r: PresenceEntry["rank"];
  readonly i: boolean;
  /** The node's id in hex, so that no node can be mistaken for another's beginning. */
  readonly o: string;
  readonly s: number;
}

export function encodeEntry(entry: PresenceEntry): string {
  const stored: StoredEntry = {
    d: toHex(entry.deviceId),
    k: toHex(entry.deviceKey),
    c: toHex(entry.connectionId),
    u: toHex(entry.userId),
    n: entry.name,
    a: entry.answers,
    f: entry.forNames,
    r: entry.rank,
    i: entry.invisible,
    o: encodeNode(entry.nodeId),
    s: entry.sinceMs,
  };
  return JSON.stringify(stored);
}

/** @returns null for what is none of ours */
export function decodeEntry(text: string): PresenceEntry | null {
  try {
    const { d, k, c, u, n, a, f, r, i, o, s }: StoredEntry = JSON.parse(text);
    const ids = { deviceId: bytes(d), deviceKey: bytes(k), connectionId: bytes(c), userId: bytes(u) };
    const entry = {
      ...ids,
      name: n,
      answers: a,
      forNames: f,
      rank: r,
      invisible: i,
      nodeId: decodeNode(o),
      sinceMs: s,
    };
    requireEntry(entry);
    return entry;
  } catch {
    return null;
  }
}

/** What tells a channel from all others. */
export function channelOf({ deviceId, connectionId }: Pick<PresenceEntry, "deviceId" | "connectionId">): string {
  return toHex(deviceId) + toHex(connectionId);
}

export function encodeNode(nodeId: string): string {
  return toHex(utf8(nodeId));
}

export function decodeNode(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes(text));
}

/** `NAME\0USER`; a user id has 32 digits. @returns none for what is none of ours */
export function decodePerson(member: string): readonly OnlinePerson[] {
  const userId = fromHex(member.slice(-32));
  return userId === null ? [] : [{ name: member.slice(0, -33), userId }];
}

/** Where the page after this name begins. */
export function pageStart(after: string): string {
  return after === "" ? "-" : `(${after}\0g`;
}

/** A piece of news, with the state of the store that it led to. */
export interface News extends Version {
  readonly changes: readonly PresenceChange[];
}

export interface Version {
  readonly epoch: string;
  readonly count: number;
}

const MAX_NEWS_BYTES = 1_048_576;

/** @returns null for what no script of ours has told */
export function decodeNews(message: Uint8Array): News | null {
  if (message.length > MAX_NEWS_BYTES) return null;
  try {
    const [epoch, count, changes]: unknown[] = JSON.parse(new TextDecoder().decode(message));
    if (typeof epoch !== "string" || !Number.isSafeInteger(count) || !Array.isArray(changes)) return null;
    return { epoch, count: Number(count), changes: changes.map(decodeChange) };
  } catch {
    return null;
  }
}

function decodeChange(change: unknown): PresenceChange {
  const [userId, name, online]: unknown[] = Array.isArray(change) ? change : [];
  if (typeof userId !== "string" || typeof name !== "string" || typeof online !== "boolean")
    throw new TypeError("no change");
  return { userId: bytes(userId), name, online };
}

function bytes(hex: string): Uint8Array {
  const decoded = fromHex(hex);
  if (decoded === null) throw new TypeError("not hexadecimal");
  return decoded;
}
