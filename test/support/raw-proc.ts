import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What Linux tells of a running process, without asking it. */
export interface Footprint {
  readonly residentBytes: number;
  readonly openFiles: number;
}

export function footprintOf(pid: number): Footprint {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { residentBytes: Number(kilobytes) * 1_024, openFiles: readdirSync(`/proc/${pid}/fd`).length };
}

const DEADLINE_MS = 10_000;

/**
 * The footprint of a process once it has no more files open than before: what it has just been told to close may take a moment.
 * @throws Error when it keeps them open
 */
export async function settledFootprint(pid: number, before: Footprint): Promise<Footprint> {
  for (const deadline = performance.now() + DEADLINE_MS; ; await Bun.sleep(20)) {
    const now = footprintOf(pid);
    if (now.openFiles <= before.openFiles) return now;
    if (performance.now() > deadline) throw new Error(`${now.openFiles} open files, and ${before.openFiles} before`);
  }
}

/** A UDP socket as the kernel sees it. */
export interface UdpSocketState {
  readonly family: 4 | 6;
  readonly port: number;
  /** Waiting to be read. */
  readonly queuedBytes: number;
  /** Datagrams that found no room since the socket was opened. */
  readonly drops: number;
}

/** The UDP sockets of a process, IPv4 first. */
export function udpSocketsOf(pid: number): UdpSocketState[] {
  const links = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  return [...rowsOf(4), ...rowsOf(6)].filter(({ inode }) => inodes.has(inode)).map(({ state }) => state);
}

export function udpSocketAt(family: 4 | 6, port: number): UdpSocketState {
  const row = rowsOf(family).find(({ state }) => state.port === port);
  if (row === undefined) throw new Error(`no UDP socket on port ${port}`);
  return row.state;
}

function rowsOf(family: 4 | 6): { inode: string; state: UdpSocketState }[] {
  const lines = readFileSync(family === 4 ? "/proc/net/udp" : "/proc/net/udp6", "latin1")
    .trim()
    .split("\n")
    .slice(1);
  return lines.map((line) => {
    const columns = line.trim().split(/\s+/);
    const port = parseInt(columns[1]?.split(":")[1] ?? "", 16);
    const queuedBytes = parseInt(columns[4]?.split(":")[1] ?? "", 16);
    return { inode: columns[9] ?? "", state: { family, port, queuedBytes, drops: Number(columns[12]) } };
  });
}

/** A file closed since the folder was read has none. */
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}
