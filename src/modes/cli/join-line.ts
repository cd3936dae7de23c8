import { canonicalIp, parseIp } from "../../wire/address.ts";
import { fromBase32, toBase32 } from "../../wire/bytes.ts";
import { UserError } from "./errors.ts";
import { isLowOrder } from "./low-order.ts";

/** The one line that a friend needs: where the server is, who it is, and perhaps the right to register. */
export interface JoinLine {
  /** wss instead of ws. */
  readonly secure: boolean;
  /** At least one. */
  readonly nodes: readonly ServerNode[];
  /** X25519 key of the server, 32 bytes; null: to be asked for and confirmed at the first use. */
  readonly key: Uint8Array | null;
  /** 16 bytes that admit a registration. */
  readonly invite: Uint8Array | null;
}

export interface ServerNode {
  /** DNS name in lower case, or canonical address without brackets. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 7_420;
const DEFAULT_SECURE_PORT = 443;
const MAX_LENGTH = 2_048;
export const MAX_NODES = 16;
const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;
const FORM = "a join line looks like p2p://HOST:7420/#KEY";

/** As the first word of a command line a join line needs its scheme or a `#`; a bare host name would look like a verb. */
export function looksLikeJoinLine(word: string): boolean {
  const text = trimmed(word);
  return SCHEME.test(text) || text.includes("#");
}

/** @throws UserError `usage` that says which part is wrong */
export function parseJoinLine(input: string): JoinLine {
  const text = trimmed(input);
  if (text.length > MAX_LENGTH) throw bad(`it is longer than ${MAX_LENGTH} characters`);
  const scheme = SCHEME.exec(text);
  const secure = secureScheme(scheme?.[1]);
  const rest = text.slice(scheme?.[0].length ?? 0);
  const hash = rest.indexOf("#");
  const place = hash < 0 ? rest : rest.slice(0, hash);
  const { key, invite } = parseFragment(hash < 0 ? null : rest.slice(hash + 1));
  return { secure, nodes: parseNodes(place, defaultPortOf(secure)), key, invite };
}

/** The spelling to print and to store: scheme and ports written out, key and invitation in lower case. */
export function formatJoinLine(line: JoinLine): string {
  const nodes = line.nodes.map((node) => formatHostPort(node.host, node.port)).join(",");
  const invite = line.invite === null ? "" : `.${toBase32(line.invite)}`;
  const fragment = line.key === null ? "" : `#${toBase32(line.key)}${invite}`;
  return `${line.secure ? "p2ps" : "p2p"}://${nodes}/${fragment}`;
}

/** Where a join line names no port. */
export function defaultPortOf(secure: boolean): number {
  return secure ? DEFAULT_SECURE_PORT : DEFAULT_PORT;
}

export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @returns 32 bytes. @throws UserError `usage` */
export function parseServerKey(text: string): Uint8Array {
  const key = text.length === 52 ? fromBase32(text) : null;
  if (key === null) throw bad(`the key is not 52 base32 characters (a-z, 2-7)`);
  if (isLowOrder(key)) throw bad("the key is none: no server can have it");
  return key;
}

/** @returns the host without brackets and in one spelling; null when it is neither a DNS name nor an address */
export function parseHost(text: string): string | null {
  if (text.startsWith("[")) return text.endsWith("]") && text.includes(":") ? ipv6(text.slice(1, -1)) : null;
  if (/^(?:[^.]*\.)*(?:\d+|0x[0-9a-f]*)\.?$/i.test(text)) return text.includes(":") ? null : canonicalIp(text);
  return text.length <= 253 && text.split(".").every(isLabel) ? text.toLowerCase() : null;
}

/** @returns 0 to 65535, or null */
export function parsePort(text: string): number | null {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : null;
}

/** Cuts `host:port` at the colon that is not inside brackets; `port` is null when there is none. */
export function splitHostPort(text: string): { host: string; port: string | null } {
  const [, host = text, port = null] = /^(\[[^\]]*\]|[^:[\]]*):(.*)$/.exec(text) ?? [];
  return { host, port };
}

function trimmed(input: string): string {
  return input.replace(/^[\s<>]+|[\s<>]+$/g, "");
}

function secureScheme(scheme: string | undefined): boolean {
  const name = scheme?.toLowerCase();
  if (name !== undefined && name !== "p2p" && name !== "p2ps")
    throw bad(`the scheme is ${name}://, not p2p:// or p2ps://`);
  return name === "p2ps";
}

function parseNodes(place: string, defaultPort: number): ServerNode[] {
  const text = place.endsWith("/") ? place.slice(0, -1) : place;
  if (text.includes("@")) throw bad("it carries a user name, which does not belong there");
  if (text.includes("?")) throw bad("it carries a query, which does not belong there");
  if (text.includes("/")) throw bad("it carries a path, which does not belong there");
  if (text === "") throw bad("it names no host");
  const nodes = text.split(",").map((node) => parseNode(node, defaultPort));
  if (nodes.length > MAX_NODES) throw bad(`it names more than ${MAX_NODES} nodes`);
  return nodes;
}

/** HOST or HOST:PORT. @throws UserError `usage` */
export function parseNode(text: string, defaultPort: number): ServerNode {
  const split = splitHostPort(text);
  const host = parseHost(split.host);
  if (host === null) throw bad(hostProblem(text, split.host));
  const port = split.port === null ? defaultPort : parsePort(split.port);
  if (port === null || port === 0) throw bad(`the port is not a number from 1 to 65535`);
  return { host, port };
}

function hostProblem(node: string, host: string): string {
  if (host.includes("%")) return "an address with a zone holds on one computer only";
  if (node.split(":").length > 2 && !node.startsWith("["))
    return "an IPv6 address stands in brackets, as in [2001:db8::1]:7420";
  if (/[^\x21-\x7e]/.test(node))
    return "the host has characters that a host name cannot have; write an international name as xn--…";
  return "the host is neither a DNS name nor an address";
}

function parseFragment(fragment: string | null): { key: Uint8Array | null; invite: Uint8Array | null } {
  if (fragment === null) return { key: null, invite: null };
  const [keyText = "", inviteText, ...more] = fragment.split(".");
  const key = parseServerKey(keyText);
  const invite = inviteText === undefined ? null : parseInvite(inviteText);
  if (more.length > 0) throw bad("something follows the invitation");
  return { key, invite };
}

function parseInvite(text: string): Uint8Array {
  const invite = text.length === 26 ? fromBase32(text) : null;
  if (invite === null) throw bad("the invitation is not 26 base32 characters (a-z, 2-7)");
  return invite;
}

function ipv6(text: string): string | null {
  const bytes = text.includes("%") ? null : parseIp(text);
  return bytes === null ? null : canonicalIp(text);
}

function isLabel(label: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(label);
}

function bad(problem: string): UserError {
  return new UserError("usage", `cannot read the join line: ${problem}`, { hint: FORM });
}
