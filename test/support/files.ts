import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

/** Makes a file of random bytes. @returns its SHA-256 in hex */
export async function randomFile(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  await using file = await open(path, "wx");
  for (let left = bytes; left > 0;) {
    const block = randomBytes(Math.min(left, 4 * 1_024 * 1_024));
    hash.update(block);
    await file.write(block);
    left -= block.length;
  }
  return hash.digest("hex");
}

/** In hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
