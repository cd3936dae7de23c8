import { concat, fromBase32 } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort, type ServerNode } from "../cli/join-line.ts";
import { mustSignIn, portalIn } from "./captive-portal.ts";
import { proxyFor } from "./proxy.ts";
import { failureOfFetch } from "./socket-failure.ts";

/** Where the key is what is wanted, and where it only explains a failure. */
const TIMEOUTS_MS = { valid: 10_000, any: 3_000 } as const;
/** 52 characters and a line end, with room for a kinder server. */
const MAX_BYTES = 1_024;

/** Over `https`: `valid` where the key is about to be pinned, `any` where one is pinned and this only explains a failure. */
export type Certificate = "valid" | "any";

/**
 * The key a server shows to whoever asks: a claim, to be pinned only after a person agreed.
 * @returns 32 bytes
 * @throws UserError when its certificate is not valid, or a network answers in its place; Error when nothing that looks like a key comes back
 */
export async function fetchServerKey(secure: boolean, node: ServerNode, certificate: Certificate): Promise<Uint8Array> {
  const url = `http${secure ? "s" : ""}://${formatHostPort(node.host, node.port)}/v1/key`;
  const response = await ask(url, node, certificate);
  refuseProxy(response, url, node);
  refusePortal(response, url, node);
  const text = (await beginningOf(response)).trim();
  const key = response.ok && text.length === 52 ? fromBase32(text) : null;
  if (key === null) throw new Error("the answer is no server key");
  return key;
}

async function ask(url: string, node: ServerNode, certificate: Certificate): Promise<Response> {
  try {
    return await get(url, certificate);
  } catch (error) {
    refuseProxy(error, url, node);
    if (!isAboutCertificate(error)) throw error;
    const other = await get(url, "any").catch(() => null);
    if (other !== null) refusePortal(other, url, node);
    throw untrusted(url, error);
  }
}

/** Nothing is followed. A proxy that is reached by https may be told a password, so its own certificate has to be valid, which goes for both here. */
async function get(url: string, certificate: Certificate): Promise<Response> {
  const proxy = proxyFor(url);
  const isLax = certificate === "any" && proxy?.url.startsWith("https:") !== true;
  return fetch(url, {
    signal: AbortSignal.timeout(TIMEOUTS_MS[certificate]),
    redirect: "manual",
    proxy: proxy === null ? false : { url: proxy.url, respectNoProxy: false },
    tls: { rejectUnauthorized: !isLax },
  });
}

/** @throws UserError when it is the proxy's answer, or there is none */
function refuseProxy(answer: unknown, url: string, { host, port }: ServerNode): void {
  const proxy = proxyFor(url);
  if (proxy === null || isAboutCertificate(answer)) return;
  const failure = failureOfFetch(answer, proxy);
  if (failure === null) return;
  const { message, hint, side } = failure;
  const text = `cannot reach the server at ${formatHostPort(host, port)}: ${message}`;
  throw new UserError("server-unreachable", text, { ...(hint && { hint }), ...(side && { side }) });
}

/** Behind a proxy of one's own there is no such network: what answers there is the proxy. @throws UserError */
function refusePortal(response: Response, url: string, { host, port }: ServerNode): void {
  const portal = proxyFor(url) === null ? portalIn(response, url) : null;
  if (portal !== null) throw mustSignIn(formatHostPort(host, port), portal);
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
