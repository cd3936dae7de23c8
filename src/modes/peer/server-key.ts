import { concat, fromBase32 } from "../../wire/bytes.ts";

const TIMEOUT_MS = 10_000;
/** 52 characters and a line end, with room for a kinder server. */
const MAX_BYTES = 1_024;

/**
 * The key a server shows to whoever asks: a claim, to be pinned only after a person agreed.
 * @returns 32 bytes. @throws Error when nothing that looks like a key comes back
 */
export async function fetchServerKey(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
  const text = (await beginningOf(response)).trim();
  const key = response.ok && text.length === 52 ? fromBase32(text) : null;
  if (key === null) throw new Error("the answer is no server key");
  return key;
}

/** Whoever answers may never stop talking. */
async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    if (chunks.reduce((sum, { length }) => sum + length, 0) >= MAX_BYTES) break;
  }
  return new TextDecoder().decode(concat(...chunks));
}
