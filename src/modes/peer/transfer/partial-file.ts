import { constants, type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { UserError } from "../../cli/errors.ts";
import { writeFailure } from "./failure.ts";
import { type LocalName, partialPathIn } from "./local-name.ts";
import { writeFully } from "./private-file.ts";
import { publish } from "./publish.ts";
import type { ReceivingFolder } from "./receiving-folder.ts";

/** Windows has no such flag, and needs none: links there are not followed when a file is created. */
const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0;
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW;
const FILE_MODE = 0o666;

/** A hidden file beside the final place, for this person alone while it grows. Either published or discarded at the end. */
export class PartialFile {
  readonly #folder: ReceivingFolder;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #bytes: number;
  #isOpen = true;

  private constructor(folder: ReceivingFolder, path: string, handle: FileHandle, bytes: number) {
    this.#folder = folder;
    this.#path = path;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** @param bytes the announced size, beyond which nothing is written. @throws UserError `not-writable`, `disk-full` */
  static async create(folder: ReceivingFolder, id: string, entry: number, bytes: number): Promise<PartialFile> {
    const path = partialPathIn(folder.path, id, entry);
    await folder.check();
    const failed = (error: unknown) => writeFailure(`cannot write in ${folder.path}`, error);
    const handle = await open(path, CREATE, 0o600).catch((error: unknown) => Promise.reject(failed(error)));
    const partial = new PartialFile(folder, path, handle, bytes);
    try {
      await folder.check();
      return partial;
    } catch (error) {
      // The runtime throws, out of nowhere, when it finds a handle that nobody closed.
      await partial.discard();
      throw failed(error);
    }
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (position + bytes.length > this.#bytes) throw new RangeError("nothing is written beyond the announced size");
    try {
      await writeFully(this.#handle, bytes, position);
    } catch (error) {
      throw writeFailure(`cannot write in ${this.#folder.path}`, error);
    }
  }

  /**
   * Puts the whole file under `name`, or a number behind it where that is taken, once the disk has it.
   * @param taken folded names that are not to be used; the chosen one joins them
   * @returns the absolute path
   */
  async publish(name: LocalName, taken: Set<string>): Promise<string> {
    try {
      await this.#settle();
      await this.#folder.check();
      const path = await publish(this.#path, this.#folder.path, name, taken);
      await syncFolder(this.#folder.path);
      return path;
    } catch (error) {
      throw writeFailure(`cannot write ${name} in ${this.#folder.path}`, error);
    }
  }

  /** Leaves nothing behind; what is gone already, or cannot go, is not reported: the failure that led here is. */
  async discard(): Promise<void> {
    await this.#close().catch(() => undefined);
    await unlink(this.#path).catch(() => undefined);
  }

  /** All on the disk, readable as the person's other files are, and nobody put another file in its place. */
  async #settle(): Promise<void> {
    await this.#handle.chmod(FILE_MODE & ~process.umask());
    await this.#handle.sync();
    const [ours, there] = [await this.#handle.stat({ bigint: true }), await lstat(this.#path, { bigint: true })];
    await this.#close();
    const isOurs = ours.ino === there.ino && ours.dev === there.dev && ours.size === BigInt(this.#bytes);
    if (!isOurs)
      throw new UserError("not-writable", `cannot finish a file in ${this.#folder.path}: another program changed it`);
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }
}

/** So that the new name is on the disk too. Windows does not let a folder be opened for it. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
