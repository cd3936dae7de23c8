import { fromBase32 } from "../../wire/bytes.ts";

const TIMEOUT_MS = 10_000;
/** 52 characters and a line end, with room for a kinder server. */
const MAX_BYTES = 1_024;

/**
 * The key a server shows to whoever asks: a claim, to be pinned only after a person agreed.
 * @returns 32 bytes. @throws Error when nothing that looks like a key comes back
 */
export async function fetchServerKey(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "error" });
  const text = (await response.text()).slice(0, MAX_BYTES).trim();
  const key = response.ok && text.length === 52 ? fromBase32(text) : null;
  if (key === null) throw new Error("the answer is no server key");
  return key;
}
