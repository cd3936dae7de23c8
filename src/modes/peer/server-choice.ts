import { toBase32 } from "../../wire/bytes.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort, type JoinLine, type ServerNode } from "../cli/join-line.ts";
import { portalBefore } from "./captive-portal.ts";
import { FirstToOpen, type Opening } from "./first-to-open.ts";
import { mostTelling } from "./server-address.ts";
import { fetchServerKey } from "./server-key.ts";
import { stateOf } from "./socket-failure.ts";

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
  const race = new FirstToOpen(nodes.map((node) => () => new AskedKey(secure, node)));
  try {
    return (await race.winner()).key;
  } catch (error) {
    throw error instanceof AggregateError ? mostTelling(error.errors) : error;
  }
}

class AskedKey implements Opening {
  key: Uint8Array = new Uint8Array();
  readonly #secure: boolean;
  readonly #node: ServerNode;

  constructor(secure: boolean, node: ServerNode) {
    this.#secure = secure;
    this.#node = node;
  }

  async open(): Promise<void> {
    try {
      this.key = await fetchServerKey(this.#secure, this.#node, "valid");
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw (await portalBefore(this.#secure, this.#node)) ?? unreachable(this.#node, error);
    }
  }

  /** An answer that comes all the same is not looked at. */
  close(): void {}
}

function unreachable({ host, port }: ServerNode, cause: unknown): UserError {
  const message = `cannot reach the server at ${formatHostPort(host, port)}: ${stateOf(cause)}`;
  const hint = "check the address and that the server runs; its port must be open for TCP";
  return new UserError("server-unreachable", message, { side: "server", hint, cause });
}
