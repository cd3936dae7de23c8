import { formatBytes, formatCount, formatMs, formatSeconds } from "./amounts.ts";
import type { ClusterFigures, NodeFigures, StatusEvent } from "./events.ts";

/** What an operator reads: one row for each thing, its name first. */
export function statusTable(status: StatusEvent): string {
  const rows: Row[] = [
    ["server", `p2p ${status.version}, ${status.running ? runningFor(status) : "not running"}`],
    ...(status.running ? figureRows(status) : []),
    ["accounts", status.storeMs === null ? "do not answer" : `answer in ${formatMs(status.storeMs)}`],
    ...(status.running && status.cluster !== null ? [redisRow(status.cluster)] : []),
  ];
  const left = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) => (name.padEnd(left) + text).trimEnd()).join("\n");
}

type Row = readonly [name: string, text: string];
type Running = StatusEvent & { readonly running: true };

function runningFor({ uptimeSeconds, cluster }: Running): string {
  const nodes = cluster === null ? "" : `, one of ${formatCount(cluster.nodes, "node")}`;
  return `up ${formatSeconds(uptimeSeconds)}${nodes}`;
}

function figureRows(figures: Running): Row[] {
  const { cluster, pairings, relayedBytes, relayedByAccount, limits } = figures;
  const [here, ofHere] = cluster === null ? ["", ""] : [" at this node", " of this node"];
  return [
    ["online", cluster === null ? online(figures) : `${everywhere(cluster)}; at this node ${online(figures)}`],
    ["sessions", `${pairings} now${here}; ${ended(figures)}`],
    ["relayed", `${formatBytes(relayedBytes)} since the start${ofHere}`],
    ...relayedByAccount.map(({ name, bytes }): Row => ["", `${formatBytes(bytes)} from ${name}`]),
    ["limits", named(limits) || `none hit since the start${ofHere}`],
  ];
}

function online({ people, devices, channels }: NodeFigures): string {
  return [formatPeople(people), formatCount(devices, "device"), formatCount(channels, "channel")].join(", ");
}

function everywhere({ people }: ClusterFigures): string {
  return people === null ? "unknown at the others" : `${formatPeople(people)} in all`;
}

function redisRow({ redisMs }: ClusterFigures): Row {
  return [
    "redis",
    redisMs === null ? "does not answer; this node goes on by itself" : `answers in ${formatMs(redisMs)}`,
  ];
}

function formatPeople(count: number): string {
  return count === 1 ? "1 person" : `${count} people`;
}

function ended({ sessions, directShare }: NodeFigures): string {
  const all = Object.values(sessions).reduce((sum, count) => sum + count, 0);
  const share = directShare === null ? "" : `, ${Math.round(directShare * 100)} % direct (${named(sessions)})`;
  return `${all} ended since the start${share}`;
}

/** Those that are not 0. */
function named(figures: Readonly<Record<string, number>>): string {
  const entries = Object.entries(figures).filter(([, count]) => count > 0);
  return entries.map(([name, count]) => `${name} ${count}`).join(", ");
}
