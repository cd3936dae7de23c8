import type { FlagRow } from "./flags.ts";
import { usageError } from "./problem.ts";

interface LimitRow {
  /** When nobody set it, in `unit`. */
  readonly fallback: number;
  /** What is counted. */
  readonly unit: string;
  /** Of whom, or of what. */
  readonly bounds: string;
  /** Parts of a unit may be given, to three digits. */
  readonly inParts?: true;
}

const MB_PER_SECOND = "MB a second";

/** Every limit of a server: its setting, default, unit and what it bounds. README.md shows these rows. 0 turns one off. */
const rows = {
  "limit-newcomers": row(512, "connections", "that have not signed in yet, in all"),
  "limit-newcomers-per-address": row(16, "connections", "that have not signed in yet, of one address"),
  "limit-connections": row(5, "a second", "new connections of one address"),
  "limit-connections-burst": row(50, "connections", "of one address at once, after a quiet time"),
  "limit-handshakes": row(500, "a second", "new connections in all"),
  "limit-messages": row(50, "a second", "messages of one program to the server"),
  "limit-messages-burst": row(100, "messages", "at once, after a quiet time"),
  "limit-rings": row(10, "a minute", "rings of one person at strangers"),
  "limit-rings-to-contacts": row(120, "a minute", "rings of one person at people who once accepted"),
  "limit-rings-from-strangers": row(
    5,
    "a minute",
    "rings of all strangers together at one person, twice as many at once",
  ),
  "limit-rings-unanswered": row(3, "rings", "of one person at another, open at a time"),
  "limit-guesses-per-address": row(20, "a minute", "wrong passwords and invitations of one address"),
  "limit-guesses-per-account": row(5, "wrong passwords", "for one account, before each takes 1 s, doubling to 15 min"),
  "limit-waiting-sign-ins": row(64, "sign-ins", "by password that wait for a processor, each 5 s at most"),
  "limit-registrations": row(100, "an hour", "new accounts of one address, with --open-registration"),
  "limit-relay-rate": { ...row(12.5, MB_PER_SECOND, "sent through the server by one account"), inParts: true },
  "limit-relay-burst": { ...row(32, "MB", "sent faster than that, after a quiet time"), inParts: true },
  "limit-relay-daily": {
    ...row(100, "GB", "that come back evenly over a day; then only as they come back"),
    inParts: true,
  },
} as const satisfies Readonly<Record<string, LimitRow>>;

export type LimitName = keyof typeof rows;
/** In the units of the table; 0: no such limit. */
export type Limits = Readonly<Record<LimitName, number>>;

export const limitTable: Readonly<Record<LimitName, LimitRow>> = rows;
export const limitNames = Object.keys(rows) as readonly LimitName[];
export const defaultLimits: Limits = limitsFrom((name) => rows[name].fallback);
/** For the table of all settings. None of them has a flag. */
export const limitFlags = Object.fromEntries(limitNames.map((name) => [name, flagOf(rows[name])])) as Readonly<
  Record<LimitName, FlagRow<number>>
>;

/** A number of this or more is a slip of the hand. */
const MOST = 1_000_000_000;

export function limitsFrom(valueOf: (name: LimitName) => number): Limits {
  return Object.fromEntries(limitNames.map((name) => [name, valueOf(name)])) as Limits;
}

function row(fallback: number, unit: string, bounds: string): LimitRow {
  return { fallback, unit, bounds };
}

function flagOf(limit: LimitRow): FlagRow<number> {
  const { fallback, unit, bounds } = limit;
  const help = `${unit}: ${bounds} (${fallback}; 0: no limit)`;
  return { value: "N", many: false, reach: "server", fallback, read: ([text = ""]) => read(text, limit), help };
}

function read(text: string, { fallback, unit, inParts }: LimitRow): number {
  const isNumber = inParts === true ? /^\d{1,10}(?:\.\d{1,3})?$/.test(text) : /^\d{1,10}$/.test(text);
  const value = isNumber ? Number(text) : MOST;
  if (value < MOST) return value;
  const kind = inParts === true ? "number" : "whole number";
  throw usageError(
    `this is not a ${kind} below ${MOST}`,
    `give the ${kind} alone, in: ${unit}; the default is ${fallback}, and 0 means no limit`,
  );
}
