import { readFileSync } from "node:fs";

/** How often the log of an account file was committed to since it began: SQLite's file format, section 4.1. */
export function commitsIn(file: string): number {
  const log = readFileSync(`${file}-wal`);
  if (log.length === 0) return 0;
  const frameBytes = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at < log.length; at += frameBytes) if (log.readUInt32BE(at + 4) > 0) commits++;
  return commits;
}
