import { access, constants, lstat, mkdir, opendir, realpath, statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { UserError } from "../../cli/errors.ts";
import { writeFailure } from "./failure.ts";
import { foldedName } from "./local-name.ts";

/** The folder that files are received in: one real place, fixed when it is opened, whatever its path leads to later. */
export class ReceivingFolder {
  /** Absolute, without links. */
  readonly path: string;
  readonly #identity: string;

  private constructor(path: string, identity: string) {
    this.path = path;
    this.#identity = identity;
  }

  /** Makes it if it is missing. @throws UserError `not-writable`, or `disk-full` */
  static async open(path: string): Promise<ReceivingFolder> {
    try {
      await mkdir(resolve(path), { recursive: true });
      const real = await realpath(path);
      await access(real, constants.W_OK | constants.X_OK);
      return new ReceivingFolder(real, await identityOf(real));
    } catch (error) {
      throw writeFailure(`cannot receive files in ${path}`, error);
    }
  }

  /** @throws UserError `not-writable` when something else stands at its path by now, or a link on the way there */
  async check(): Promise<void> {
    const isSame = await this.#isSame();
    if (!isSame) throw new UserError("not-writable", `cannot write in ${this.path}: the folder was moved or replaced`);
  }

  /** What this program may fill. Bytes. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    return bavail * bsize;
  }

  /** Every name in it, folded, so that none is taken that another system would take for the same. */
  async takenNames(): Promise<Set<string>> {
    const names = new Set<string>();
    for await (const entry of await opendir(this.path)) names.add(foldedName(entry.name));
    return names;
  }

  async #isSame(): Promise<boolean> {
    try {
      return (await realpath(this.path)) === this.path && (await identityOf(this.path)) === this.#identity;
    } catch {
      return false;
    }
  }
}

async function identityOf(path: string): Promise<string> {
  const { dev, ino } = await lstat(path, { bigint: true });
  return `${dev}:${ino}`;
}
