import type { AccountStore } from "../../store/accounts.ts";
import { versionEvent } from "../cli/build-info.ts";
import type { ClusterFigures, NodeFigures, ServerStatus } from "../cli/events.ts";
import { isClusterOrNull } from "./cluster-figures.ts";
import type { Services } from "./services.ts";
import { limitKinds, pathKinds } from "./tally.ts";

const TOP_ACCOUNTS = 10;
const counts = ["uptimeSeconds", "people", "devices", "channels", "pairings", "relayedBytes"] as const;

/** Of a running node, and what it sees of all. */
export interface RunningFigures extends NodeFigures {
  readonly cluster: ClusterFigures | null;
}

/**
 * @param figures null when none runs
 * @param onTrouble a running node says that its accounts do not answer, in place of saying nothing
 * @throws StoreError when none runs
 */
export async function statusOf(
  store: AccountStore,
  figures: RunningFigures | null,
  onTrouble: (error: unknown) => void,
): Promise<ServerStatus> {
  const { version } = versionEvent();
  if (figures === null) return { running: false, version, storeMs: await answerMs(store) };
  return { running: true, version, storeMs: await answerMsOrNull(store, onTrouble), ...figures };
}

/** What this node knows of itself at this moment. */
export function figuresOf({ tally, members, attendance, hub, clock }: Services): NodeFigures {
  const sessions = Object.fromEntries(pathKinds.map((kind) => [kind, tally.sessionsEnded(kind)]));
  return {
    uptimeSeconds: Math.floor((clock.now() - tally.startedAt) / 1_000),
    people: attendance.people,
    devices: members.devices,
    channels: members.size,
    pairings: hub.pairings.size,
    sessions,
    directShare: directShare(sessions),
    relayedBytes: tally.relayedBytes,
    relayedByAccount: tally.topAccounts(TOP_ACCOUNTS),
    limits: Object.fromEntries(limitKinds.map((kind) => [kind, tally.limitsHit(kind)])),
  };
}

/** Milliseconds until the accounts answer; null when they fail to. */
export async function answerMsOrNull(store: AccountStore, onTrouble: (error: unknown) => void): Promise<number | null> {
  try {
    return await answerMs(store);
  } catch (error) {
    onTrouble(error);
    return null;
  }
}

/** What a running server of perhaps another version has said. */
export function isStatus(value: unknown): value is ServerStatus {
  const status = fieldsOf(value);
  const { running, version, storeMs, cluster, directShare: share, sessions, limits, relayedByAccount } = status;
  if (typeof version !== "string" || !isNumberOrNull(storeMs)) return false;
  if (running !== true) return running === false;
  return (
    isClusterOrNull(cluster) &&
    counts.every((name) => typeof status[name] === "number") &&
    isNumberOrNull(share) &&
    [sessions, limits].every((each) => Object.values(fieldsOf(each)).every((count) => typeof count === "number")) &&
    Array.isArray(relayedByAccount) &&
    relayedByAccount.every(isAccountBytes)
  );
}

/** Every store bounds its calls in time. */
async function answerMs(store: AccountStore): Promise<number> {
  const startedAt = performance.now();
  await store.accounts.list({ limit: 1 });
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

/** Of the sessions that said how they ended. */
function directShare(sessions: Readonly<Record<string, number>>): number | null {
  const all = Object.values(sessions).reduce((sum, count) => sum + count, 0);
  const relayed = (sessions["relay-udp"] ?? 0) + (sessions["relay-ws"] ?? 0);
  return all === 0 ? null : (all - relayed) / all;
}

function isAccountBytes(value: unknown): boolean {
  const { name, bytes } = fieldsOf(value);
  return typeof name === "string" && typeof bytes === "number";
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || typeof value === "number";
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
