import type { AccountStore } from "../../store/accounts.ts";
import type { PresenceStore } from "../../store/presence.ts";
import type { Random } from "../../wire/core.ts";
import { type ErrorCode, isErrorCode } from "../../wire/errors.ts";
import type { ServerStatus } from "../cli/events.ts";
import { formatJoinLine } from "../cli/join-line.ts";
import { parseName } from "../cli/names.ts";
import type { JoinPlace } from "./advertise.ts";
import type { Clock } from "./clock.ts";
import { makeInvitation, makeReset } from "./invites.ts";
import type { ServerKeys } from "./key-files.ts";
import { Refusal } from "./refusal.ts";
import { isStatus, type RunningFigures, statusOf } from "./status.ts";

/** What the operator asks for. */
export type AdminQuestion =
  | { readonly kind: "invite"; readonly uses: number; readonly days: number }
  | { readonly kind: "users"; readonly after: string }
  | { readonly kind: "status" }
  | { readonly kind: (typeof namedVerbs)[number]; readonly name: string };

export type AdminAnswer =
  | { readonly kind: "line"; readonly line: string }
  | {
      readonly kind: "users";
      readonly users: readonly { readonly name: string; readonly online: boolean; readonly blocked: boolean }[];
      readonly more: boolean;
    }
  | { readonly kind: "status"; readonly status: ServerStatus }
  /** What was asked was done. */
  | { readonly kind: "revoked"; readonly devices: number }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

export interface AdminOptions {
  readonly store: AccountStore;
  readonly keys: ServerKeys;
  /** For the lines that people get. */
  readonly place: JoinPlace;
  readonly clock: Pick<Clock, "unixMs">;
  readonly random: Random;
  /** Signed in at this node. */
  readonly isOnline: (name: string) => boolean;
  /** Who is there, at whichever node; null when no server runs. */
  readonly presence: Pick<PresenceStore, "online"> | null;
  readonly onRevoked: (deviceIds: readonly Uint8Array[]) => void;
  /** Null when no server runs. */
  readonly figures: () => Promise<RunningFigures | null>;
  /** A running server's accounts do not answer. */
  readonly onTrouble: (error: unknown) => void;
}

const PAGE = 500;
const namedVerbs = ["revoke", "block", "unblock", "passwd"] as const;

/** @throws Refusal `no-such-person`; StoreError */
export async function answerAdmin(question: AdminQuestion, options: AdminOptions): Promise<AdminAnswer> {
  switch (question.kind) {
    case "invite":
      return invite(question, options);
    case "users":
      return users(question.after, options);
    case "status":
      return { kind: "status", status: await statusOf(options.store, await options.figures(), options.onTrouble) };
    case "revoke":
      return revoke(question.name, options);
    case "block":
    case "unblock":
      return setBlocked(question.name, question.kind === "block", options);
    case "passwd":
    default:
      return passwd(question.name, options);
  }
}

/** @returns null for what is none */
export function parseQuestion(value: unknown): AdminQuestion | null {
  const { kind, name, after, uses, days } = fieldsOf(value);
  if (kind === "invite" && isCount(uses, 10_000) && isCount(days, 3_650)) return { kind, uses, days };
  if (kind === "users" && typeof after === "string") return { kind, after };
  if (kind === "status") return { kind };
  const verb = namedVerbs.find((each) => each === kind);
  return verb !== undefined && typeof name === "string" ? { kind: verb, name } : null;
}

/** @returns null for what is none */
export function parseAnswer(value: unknown): AdminAnswer | null {
  const { kind, line, users, more, devices, status, code, message } = fieldsOf(value);
  if (kind === "line" && typeof line === "string") return { kind, line };
  if (kind === "users" && Array.isArray(users) && typeof more === "boolean")
    return { kind, users: users.flatMap(userOf), more };
  if (kind === "status" && isStatus(status)) return { kind, status };
  if (kind === "revoked" && typeof devices === "number") return { kind, devices };
  if (kind === "refused" && typeof code === "string" && isErrorCode(code) && typeof message === "string")
    return { kind, code, message };
  return null;
}

async function invite(
  terms: { readonly uses: number; readonly days: number },
  { store, keys, place, clock, random }: AdminOptions,
): Promise<AdminAnswer> {
  const secret = await makeInvitation(store, terms, clock.unixMs(), random);
  return { kind: "line", line: lineOf(keys, place, secret) };
}

/** Both pages are in order of name, so that of those who are there ends no sooner than that of the accounts. */
async function users(after: string, { store, isOnline, presence }: AdminOptions): Promise<AdminAnswer> {
  const accounts = await store.accounts.list({ after, limit: PAGE });
  const there = new Set((await presence?.online({ after, limit: PAGE }))?.map(({ name }) => name));
  return {
    kind: "users",
    users: accounts.map(({ name, blocked }) => ({ name, online: there.has(name) || isOnline(name), blocked })),
    more: accounts.length === PAGE,
  };
}

async function revoke(name: string, { store, clock, onRevoked }: AdminOptions): Promise<AdminAnswer> {
  const { userId } = await accountOf(store, name);
  const devices = await store.devices.revokeAll(userId, clock.unixMs());
  onRevoked(devices);
  return { kind: "revoked", devices: devices.length };
}

/** Blocked first: a device that enrols meanwhile finds it so, or is revoked with the others. */
async function setBlocked(typedName: string, blocked: boolean, options: AdminOptions): Promise<AdminAnswer> {
  const { userId, name } = await accountOf(options.store, typedName);
  await options.store.accounts.setBlocked(userId, blocked);
  return blocked ? revoke(name, options) : { kind: "revoked", devices: 0 };
}

/** The line has the form of a join line: the last part lets this one person set a new password, once. */
async function passwd(name: string, { store, keys, place, clock, random }: AdminOptions): Promise<AdminAnswer> {
  const { userId } = await accountOf(store, name);
  return { kind: "line", line: lineOf(keys, place, await makeReset(store, userId, clock.unixMs(), random)) };
}

async function accountOf(store: AccountStore, typedName: string) {
  const account = await store.accounts.find(parseName(typedName));
  if (account === null) throw new Refusal("no-such-person", `nobody here has the name "${typedName}"`);
  return account;
}

function lineOf({ channel }: ServerKeys, place: JoinPlace, invite: Uint8Array): string {
  return formatJoinLine({ ...place, key: channel.publicKey, invite });
}

function userOf(value: unknown): { name: string; online: boolean; blocked: boolean }[] {
  const { name, online, blocked } = fieldsOf(value);
  return typeof name === "string" && typeof online === "boolean" ? [{ name, online, blocked: blocked === true }] : [];
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
