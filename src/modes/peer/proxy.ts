import { canonicalIp, scopeOf } from "../../wire/address.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort } from "../cli/join-line.ts";
import { isExempt } from "./no-proxy.ts";

/** An HTTP proxy that the environment names. */
export interface Proxy {
  /** With its name and password, if it has some: for the runtime alone, never to be shown. */
  readonly url: string;
  /** HOST:PORT, for people. */
  readonly place: string;
  /** The variable that names it. */
  readonly variable: string;
  readonly hasPassword: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A tunnel is what HTTPS_PROXY is there for, and without TLS ours is one too. Lower case first, as curl does. */
const ANY = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] as const;
const variables: Readonly<Record<string, readonly string[]>> = {
  secure: ANY,
  plain: ["http_proxy", "HTTP_PROXY", ...ANY],
};

/**
 * The proxy through which a URL is asked for; null for none. What runs on this machine is never asked for through one.
 * @param url ws, wss, http or https
 * @throws UserError `config` when the environment names a proxy that cannot be used
 */
export function proxyFor(url: string, env: Environment = process.env): Proxy | null {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "wss:" || protocol === "https:";
  const host = hostname.replace(/^\[|\]$/g, "");
  const exempt = env["no_proxy"] ?? env["NO_PROXY"] ?? "";
  if (isThisMachine(host) || isExempt(exempt, { host, port: Number(port) || (isSecure ? 443 : 80) })) return null;
  const names = variables[isSecure ? "secure" : "plain"] ?? ANY;
  const variable = names.find((name) => (env[name] ?? "").trim() !== "");
  return variable === undefined ? null : readProxy(variable, env[variable]?.trim() ?? "");
}

function readProxy(variable: string, text: string): Proxy {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  const url = URL.parse(scheme === undefined ? `http://${text}` : text);
  if (url === null || url.hostname === "") throw unusable(variable, "it is no address");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw unusable(variable, `${url.protocol}// is a kind of proxy that p2p does not speak to`);
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const place = formatHostPort(url.hostname.replace(/^\[|\]$/g, ""), port);
  return { url: url.href, place, variable, hasPassword: url.username !== "" };
}

/** Its value may hold a password, so it is not repeated. */
function unusable(variable: string, state: string): UserError {
  const hint = "give http://HOST:PORT there, or the server's host in NO_PROXY to go without a proxy";
  return new UserError("config", `cannot use the proxy in ${variable}: ${state}`, { hint });
}

function isThisMachine(host: string): boolean {
  const ip = canonicalIp(host);
  return ip === null ? /(^|\.)localhost\.?$/i.test(host) : scopeOf(ip) === "loopback";
}
