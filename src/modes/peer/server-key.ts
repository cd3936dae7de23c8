import { concat, fromBase32 } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";

const TIMEOUT_MS = 10_000;
/** 52 characters and a line end, with room for a kinder server. */
const MAX_BYTES = 1_024;

/** Over `https`: `valid` where the key is about to be pinned, `any` where one is pinned and this only explains a failure. */
export type Certificate = "valid" | "any";

/**
 * The key a server shows to whoever asks: a claim, to be pinned only after a person agreed.
 * @returns 32 bytes. @throws UserError when its certificate is not valid; Error when nothing that looks like a key comes back
 */
export async function fetchServerKey(url: string, certificate: Certificate): Promise<Uint8Array> {
  const response = await ask(url, certificate);
  const text = (await beginningOf(response)).trim();
  const key = response.ok && text.length === 52 ? fromBase32(text) : null;
  if (key === null) throw new Error("the answer is no server key");
  return key;
}

async function ask(url: string, certificate: Certificate): Promise<Response> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(url, { signal, redirect: "error", tls: { rejectUnauthorized: certificate === "valid" } });
  } catch (error) {
    throw isAboutCertificate(error) ? untrusted(url, error) : error;
  }
}

/** The codes of OpenSSL and of the comparison of names. */
function isAboutCertificate(error: unknown): error is Error {
  return (
    error instanceof Error && "code" in error && /CERT|^UNABLE_TO_VERIFY|^HOSTNAME_MISMATCH/.test(String(error.code))
  );
}

/** Whoever stands in between could show a key of their own, and it would be pinned. */
function untrusted(url: string, cause: Error): UserError {
  return new UserError(
    "server-unreachable",
    `cannot trust what ${new URL(url).host} shows: ${cause.message.toLowerCase()}`,
    {
      side: "server",
      hint: "ask the operator for the whole join line: with the server's key behind # no certificate is needed",
      cause,
    },
  );
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
