import type { UserErrorOptions } from "../cli/errors.ts";
import { type Proxy, proxyFor } from "./proxy.ts";

/** Why a WebSocket did not open, for people. */
export interface SocketFailure extends Pick<UserErrorOptions, "hint" | "side"> {
  /** The state found. */
  readonly message: string;
}

const AROUND = "with the server's host in NO_PROXY p2p goes there without it";
const FAR_HINT = `check the server's address and that it runs; ${AROUND}`;

/** What the system calls it, and what that means to a person who wants to reach a server. */
const states: ReadonlyMap<unknown, string> = new Map([
  ["ENOTFOUND", "there is no machine of that name"],
  ["ECONNREFUSED", "nothing listens there"],
  ["TimeoutError", "no answer in time"],
]);

/** @param error what `fetch`, or a WebSocket, gave */
export function stateOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const code = "code" in error ? error.code : null;
  return states.get(code) ?? states.get(error.name) ?? "it does not answer as a p2p server does";
}

/**
 * Reads the `error` event of a WebSocket of the runtime, which has the status of a refusal in its text alone.
 * @returns null when it tells nothing that a person could use
 */
export function failureOf(event: Event, url: string): SocketFailure | null {
  if (!(event instanceof ErrorEvent)) return null;
  const proxy = proxyFor(url);
  const failure = proxy === null ? null : failureOfProxy(event.message, proxy);
  if (failure !== null) return failure;
  if (/Expected 101 status code/.test(event.message)) return { message: "it does not answer as a p2p server does" };
  const error: unknown = event.error;
  const message = error instanceof Error && "code" in error ? states.get(error.code) : undefined;
  return message === undefined ? null : { message };
}

/** @param answer what `fetch` gave, or threw. @returns null where it is not the proxy's */
export function failureOfFetch(answer: unknown, proxy: Proxy): SocketFailure | null {
  if (answer instanceof Response) return answer.ok || answer.status === 404 ? null : refused(`${answer.status}`, proxy);
  if (!(answer instanceof Error) || !("code" in answer)) return null;
  const [, status] = /refused to open a tunnel: (\d{3})/.exec(answer.message) ?? [];
  return status === undefined ? away(proxy) : refused(status, proxy);
}

function failureOfProxy(text: string, proxy: Proxy): SocketFailure | null {
  if (text.endsWith(": Failed to connect")) return away(proxy);
  const [, status] = /Proxy (?:authentication required|connection failed): (\d{3})/.exec(text) ?? [];
  return status === undefined ? null : refused(status, proxy);
}

function away({ place, variable }: Proxy): SocketFailure {
  return { message: `the proxy at ${place} cannot be reached`, hint: `check ${variable}; ${AROUND}`, side: "local" };
}

function refused(status: string, proxy: Proxy): SocketFailure {
  const { place } = proxy;
  // Some say 401, which belongs to servers, to a wrong password.
  if (status === "407" || status === "401") return { ...wantsPassword(status, proxy), side: "local" };
  if (status.startsWith("5"))
    return { message: `the proxy at ${place} does not get through to it (${status})`, hint: FAR_HINT, side: "local" };
  const hint = `many proxies let through port 443 alone, which the server can open too (--listen :443); ${AROUND}`;
  return { message: `the proxy at ${place} refuses to connect to it (${status})`, hint, side: "local" };
}

function wantsPassword(status: string, { place, variable, hasPassword }: Proxy): SocketFailure {
  const form = `${variable}=http://NAME:PASSWORD@HOST:PORT, where characters such as @ are written as %40`;
  if (hasPassword)
    return { message: `the proxy at ${place} does not take the name and password (${status})`, hint: form };
  return { message: `the proxy at ${place} wants a name and a password (${status})`, hint: `set ${form}` };
}
