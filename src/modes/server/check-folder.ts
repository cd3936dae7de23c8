import { accessSync, constants, existsSync, lstatSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { inspectAccountFile } from "../../store/open.ts";
import { takeLock } from "../runtime/file-lock.ts";
import { type DataFolder, dataFolderAt } from "./data-folder.ts";
import { attempt, type Finding, warning, wrong } from "./finding.ts";
import { readKey, refuseLostKey } from "./key-files.ts";
import { explained } from "./opened-store.ts";

const HAS_MODES = process.platform !== "win32";

/** What is wrong or doubtful about a data folder, which need not be there yet. Nothing is made. */
export async function lookAtFolder(folder: string): Promise<readonly Finding[]> {
  const stats = lstatSync(`${folder}${path.sep}`, { throwIfNoEntry: false });
  if (stats === undefined) return canBeMade(folder);
  if (HAS_MODES && stats.uid !== process.geteuid?.())
    return [
      wrong(`${folder} belongs to another user`, "run p2p as that user, as in: runuser -u p2p -- p2p server --check"),
    ];
  if (HAS_MODES && (stats.mode & 0o002) !== 0)
    return [wrong(`cannot use ${folder}: everybody may write to it`, `chmod 700 "${folder}"`)];
  const isOpen = HAS_MODES && (stats.mode & 0o077) !== 0;
  const open = isOpen ? [warning(`others may look into ${folder}`, `chmod 700 "${folder}"`)] : [];
  return [...open, ...(await aboutFiles(dataFolderAt(folder))), ...aboutSettings(path.join(folder, "server.toml"))];
}

/** @returns whether a running server holds it */
export function isServed(folder: string): boolean {
  const { lock } = dataFolderAt(folder);
  if (!existsSync(lock)) return false;
  const held = takeLock(lock);
  held?.release();
  return held === null;
}

function canBeMade(folder: string): readonly Finding[] {
  let parent = path.dirname(folder);
  while (!existsSync(parent) && path.dirname(parent) !== parent) parent = path.dirname(parent);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
    return statSync(parent).isDirectory()
      ? []
      : [wrong(`cannot make ${folder}: ${parent} is no folder`, "use --data DIR")];
  } catch {
    return [wrong(`cannot make ${folder}: no right to write in ${parent}`, "use --data DIR, or make it as root first")];
  }
}

async function aboutFiles(data: DataFolder): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  await attempt(findings, () => readKey(data.serverKey));
  await attempt(findings, () => readKey(data.signingKey));
  if (!existsSync(data.accounts)) return findings;
  await attempt(findings, () => refuseLostKey(data));
  await attempt(findings, () => explained(() => inspectAccountFile(data.accounts)));
  return findings;
}

/** Whoever may write there decides who may register. */
function aboutSettings(file: string): readonly Finding[] {
  const stats: Stats | undefined = statSync(file, { throwIfNoEntry: false });
  if (!HAS_MODES || stats === undefined || (stats.mode & 0o022) === 0) return [];
  return [warning(`others may change ${file}`, `chmod go-w "${file}"`)];
}
