import { toBase32 } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort, type ServerNode } from "../cli/join-line.ts";
import { portalBefore } from "./captive-portal.ts";
import { fetchServerKey } from "./server-key.ts";

/** Which server: where its nodes are, and the one key they all have. */
export interface ServerAddress {
  readonly secure: boolean;
  readonly nodes: readonly ServerNode[];
  /** X25519, pinned. */
  readonly key: Uint8Array;
}

export function urlOf(secure: boolean, node: ServerNode, scheme: "http" | "ws", path: string): string {
  return `${scheme}${secure ? "s" : ""}://${formatHostPort(node.host, node.port)}${path}`;
}

/**
 * Why no channel came about. A node that answers under another key than the pinned one looks like any broken channel, and so does a network
 * that answers in its place: the node is asked for its key to tell.
 * @param looksAround whether its web port is asked too
 */
export async function explained(
  error: unknown,
  { secure, key }: ServerAddress,
  node: ServerNode,
  looksAround: boolean,
): Promise<unknown> {
  if (!(error instanceof UserError) || error.code !== "server-unreachable") return error;
  if (error.side === "local") return named(error, node);
  const portal = looksAround ? portalBefore(secure, node) : null;
  const shown: unknown = await fetchServerKey(secure, node, "any").catch((problem: unknown) => problem);
  if (shown instanceof Uint8Array)
    return Buffer.compare(shown, key) === 0 ? named(error, node) : serverKeyChanged(key, shown);
  if (shown instanceof UserError) return shown;
  return (await portal) ?? named(error, node);
}

/** Of what failed at several nodes, what tells a person most. */
export function mostTelling(errors: readonly unknown[]): unknown {
  const isSaying = (error: unknown): boolean =>
    error instanceof UserError && (error.code !== "server-unreachable" || error.side === "local");
  return errors.find(isSaying) ?? errors.at(-1) ?? new UserError("config", "the server's address has no node");
}

function serverKeyChanged(pinned: Uint8Array, shown: Uint8Array): UserError {
  const hint =
    "ask the operator, not over this server, whether it changed: `p2p server key` shows it, and `p2p server key import FILE` brings the old one back";
  return new UserError(
    "server-key-changed",
    `cannot trust the server: it shows the key ${toBase32(shown)}, not ${toBase32(pinned)}`,
    {
      side: "server",
      hint,
    },
  );
}

function named(error: UserError, node: ServerNode): UserError {
  const message = `cannot reach the server at ${formatHostPort(node.host, node.port)}: ${error.message}`;
  return new UserError(error.code, message, {
    side: error.side,
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  });
}
