import { toBase32 } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort, type JoinLine } from "../cli/join-line.ts";
import { fetchServerKey } from "./server-key.ts";

export type KeyedJoinLine = JoinLine & { readonly key: Uint8Array };

/**
 * A join line whose key is known: it carries one, or the server shows one and `agree` says yes to it.
 * @throws UserError `server-unreachable`, or `interrupted` when the person does not agree
 */
export async function withServerKey(
  line: JoinLine,
  agree: (fingerprint: string) => Promise<boolean>,
): Promise<KeyedJoinLine> {
  if (line.key !== null) return { ...line, key: line.key };
  const key = await shownKey(line);
  if (await agree(toBase32(key))) return { ...line, key };
  throw new UserError("interrupted", "the server's key was not accepted", {
    hint: "ask the operator for the whole join line",
  });
}

async function shownKey({ secure, nodes }: JoinLine): Promise<Uint8Array> {
  const [node] = nodes;
  if (node === undefined) throw new UserError("config", "the server's address has no node");
  const place = formatHostPort(node.host, node.port);
  try {
    return await fetchServerKey(`http${secure ? "s" : ""}://${place}/v1/key`, "valid");
  } catch (error) {
    if (error instanceof UserError) throw error;
    const hint = "check the address and that the server runs; its port must be open for TCP";
    throw new UserError("server-unreachable", `cannot reach the server at ${place}: ${stateOf(error)}`, {
      side: "server",
      hint,
      cause: error,
    });
  }
}

const states: ReadonlyMap<unknown, string> = new Map([
  ["ENOTFOUND", "there is no machine of that name"],
  ["ECONNREFUSED", "nothing listens there"],
  ["TimeoutError", "no answer in time"],
]);

/** What the system, or the timeout, says of a request that failed. */
function stateOf(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const code = "code" in error ? error.code : null;
  return states.get(code) ?? states.get(error.name) ?? "it does not answer as a p2p server does";
}
