import { formatBytes, formatCount, formatMs, formatSeconds } from "./amounts.ts";
import type { NodeFigures, StatusEvent } from "./events.ts";

/** What an operator reads: one row for each thing, its name first. */
export function statusTable(status: StatusEvent): string {
  const rows: Row[] = [
    [
      "server",
      `p2p ${status.version}, ${status.running ? `up ${formatSeconds(status.uptimeSeconds)}` : "not running"}`,
    ],
    ...(status.running ? figureRows(status) : []),
    ["accounts", status.storeMs === null ? "do not answer" : `answer in ${formatMs(status.storeMs)}`],
  ];
  const left = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) => (name.padEnd(left) + text).trimEnd()).join("\n");
}

type Row = readonly [name: string, text: string];

function figureRows(figures: NodeFigures): Row[] {
  const { people, devices, channels, pairings, relayedBytes, relayedByAccount, limits } = figures;
  const count = [`${people} ${people === 1 ? "person" : "people"}`, formatCount(devices, "device")];
  return [
    ["online", `${count.join(", ")}, ${formatCount(channels, "channel")}`],
    ["sessions", `${pairings} now; ${ended(figures)}`],
    ["relayed", `${formatBytes(relayedBytes)} since the start`],
    ...relayedByAccount.map(({ name, bytes }): Row => ["", `${formatBytes(bytes)} from ${name}`]),
    ["limits", named(limits) || "none hit since the start"],
  ];
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
