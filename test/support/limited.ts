import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "./rings.ts";

export interface Outcome {
  /** Null when a signal or the limit ended it. */
  readonly exitCode: number | null;
  /** Standard output and error as they came. */
  readonly output: string;
  readonly timedOut: boolean;
}

const GRACE_MS = 3_000;

let endCurrent: (signal: NodeJS.Signals) => void = () => {};

/**
 * Runs a command without an input, at most so long. It leads a process group, and what it leaves running is ended with
 * it; its output goes through a file, because a process left over would hold a pipe open.
 */
export async function runLimited(command: Command, limitMs: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "p2p-gate-"));
  const file = join(folder, "output");
  const fd = openSync(file, "a");
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: fd,
    stderr: fd,
    env: environment(),
    detached: true,
  });
  endCurrent = (signal) => signalGroup(child.pid, signal);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    signalGroup(child.pid, "SIGTERM");
    setTimeout(() => signalGroup(child.pid, "SIGKILL"), GRACE_MS).unref();
  }, limitMs);
  await child.exited;
  clearTimeout(limit);
  signalGroup(child.pid, "SIGKILL");
  closeSync(fd);
  const output = readFileSync(file, "utf8");
  rmSync(folder, { recursive: true });
  return { exitCode: timedOut ? null : child.exitCode, output, timedOut };
}

/** A group of its own hears no Ctrl-C, so that it must be passed on. */
export function endWithUs(): void {
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    process.on(signal, () => {
      endCurrent("SIGTERM");
      process.exit(status);
    });
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

/** The same for everybody: settings of the person who runs the gate would change what is tested. Servers to test with stay. */
function environment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(P2P_(?!TEST_)|NATLAB|BUN_OPTIONS$)/.test(name));
  return { ...Object.fromEntries(kept), CI: "true", NO_COLOR: "1" };
}
