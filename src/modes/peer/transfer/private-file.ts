import { constants, type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file that nobody else can open, in a folder of its own; gone when disposed. */
export interface PrivateFile extends AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
}

export async function openPrivateFile(): Promise<PrivateFile> {
  const folder = await mkdtemp(join(tmpdir(), "p2p-spool-"));
  const path = join(folder, "spool");
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  return {
    path,
    handle,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Writes all of `bytes`, however little the system takes at a time. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}

/** @returns how much was there to fill `target` with: all of it, or what is left of the file */
export async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let at = 0;
  while (at < target.length) {
    const { bytesRead } = await handle.read(target, at, target.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}
