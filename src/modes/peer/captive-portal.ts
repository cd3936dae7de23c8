import { UserError } from "../cli/errors.ts";
import { formatHostPort, type ServerNode } from "../cli/join-line.ts";
import { proxyFor } from "./proxy.ts";

/** A network that lets nobody out before they have signed in on a page of its own (RFC 8952). */
export interface CaptivePortal {
  /** Where the page is; null when the network did not say. */
  readonly host: string | null;
}

/** Of what may be asked of a server's web port, so that an error message does not wait for long. Milliseconds. */
const TIMEOUT_MS = 3_000;

/**
 * Whether an answer to a request for the server's key is that of such a network: it leads to another host, is a page for people, or says so
 * (RFC 6585 §6). No p2p server answers so.
 */
export function portalIn({ status, headers }: Pick<Response, "status" | "headers">, url: string): CaptivePortal | null {
  const target = URL.parse(headers.get("location") ?? "", url);
  const host = target === null || target.hostname === new URL(url).hostname ? null : shown(target);
  if (status === 511) return { host };
  if (status >= 300 && status < 400) return host === null ? null : { host };
  return status === 200 && /^text\/html\b/i.test(headers.get("content-type") ?? "") ? { host: null } : null;
}

/**
 * Networks that swallow everything else still answer for every web server, the server's own port 80 too. Nothing is followed; behind a proxy of
 * one's own nobody looks.
 * @returns what to tell when it is one
 */
export async function portalBefore(secure: boolean, { host, port }: ServerNode): Promise<UserError | null> {
  if (proxyFor(`http${secure ? "s" : ""}://${formatHostPort(host, port)}`) !== null) return null;
  const url = `http://${formatHostPort(host, 80)}/v1/key`;
  try {
    const answer = await fetch(url, { redirect: "manual", proxy: false, signal: AbortSignal.timeout(TIMEOUT_MS) });
    // A page there may be the host's own web site.
    const portal = answer.status === 200 ? null : portalIn(answer, url);
    return portal === null ? null : mustSignIn(formatHostPort(host, port), portal);
  } catch {
    return null;
  }
}

export function mustSignIn(place: string, { host }: CaptivePortal): UserError {
  const where = host === null ? "" : `, at ${host}`;
  return new UserError(
    "server-unreachable",
    `cannot reach the server at ${place}: this network wants you to sign in first${where}`,
    {
      side: "local",
      hint: "open a browser and sign in to the network; if no page comes up, check the server's address",
    },
  );
}

function shown({ hostname }: URL): string | null {
  return hostname === "" || hostname.length > 253 ? null : hostname;
}
