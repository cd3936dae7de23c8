import { constants, copyFile, link, open, unlink } from "node:fs/promises";
import { UserError } from "../../cli/errors.ts";
import { systemCode } from "../../runtime/system-code.ts";
import { foldedName, type LocalName, numbered, pathIn } from "./local-name.ts";

const MAX_NUMBER = 999;
/** What file systems without hard links say to link(2), and those where a file has all it may have. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EISDIR", "EINVAL", "EXDEV"]);

/**
 * Gives a finished file its name by link(2), which replaces nothing, whatever stands there: the first of `name`, `name (2)` … `name (999)`
 * that is free.
 * @returns the absolute path
 */
export async function publish(partial: string, folder: string, name: LocalName, taken: Set<string>): Promise<string> {
  for (let number = 1; number <= MAX_NUMBER; number++) {
    const candidate = number === 1 ? name : numbered(name, number);
    const path = pathIn(folder, candidate);
    if (taken.has(foldedName(candidate))) continue;
    taken.add(foldedName(candidate));
    if (await place(partial, path)) return path;
  }
  throw new UserError("not-writable", `cannot save ${name} in ${folder}: ${MAX_NUMBER} files of that name are there`);
}

/** @returns false when something stands at `path` */
async function place(partial: string, path: string): Promise<boolean> {
  try {
    await link(partial, path);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
    return copy(partial, path);
  }
  // The name stands. A partial file that cannot go is litter and no failure.
  await unlink(partial).catch(() => undefined);
  return true;
}

/** Where there are no hard links: created anew, never over something, and removed again unless it became whole. */
async function copy(partial: string, path: string): Promise<boolean> {
  try {
    await copyFile(partial, path, constants.COPYFILE_EXCL);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    await unlink(path).catch(() => undefined);
    throw error;
  }
  await sync(path);
  await unlink(partial).catch(() => undefined);
  return true;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDWR);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
