import { KeyPair } from "../../../wire/noise/primitives.ts";
import type { Answer } from "../../../wire/rendezvous/peer-end.ts";
import { UserError } from "../../cli/errors.ts";
import { formatHostPort, type JoinLine, type ServerNode } from "../../cli/join-line.ts";
import { systemRandom } from "../own-device.ts";
import { fetchServerKey } from "../server-key.ts";
import { ServerLink } from "../server-link.ts";
import { stateOf } from "../socket-failure.ts";
import type { Ticket } from "../udp-endpoint.ts";

/** Whom the doctor goes to see. */
export interface Patient {
  /** Of the home's account, or the one that was named. */
  readonly server: JoinLine;
  /** Of the account's device; null where nobody could sign in. */
  readonly keys: KeyPair | null;
}

/** What the server said. */
export interface Visit extends Disposable {
  /** The one that answered, or did not. */
  readonly node: ServerNode;
  readonly isReached: boolean;
  /** Why it cannot be reached, or does not let this device in; null when all is well. */
  readonly trouble: UserError | null;
  /** Round trip inside the channel, the least of several. Milliseconds; null where nobody is signed in. */
  readonly rttMs: number | null;
  /** Whether it carries people's data; null where nobody is signed in. */
  readonly relays: boolean | null;
  /** Two to ask over UDP with, good until this is disposed of; none where nobody is signed in. */
  readonly tickets: readonly Ticket[];
}

/**
 * Goes to the server, and signs in if there is an account.
 * @param signal ends the visit: what is not known by then is not waited for
 */
export function visit({ server, keys }: Patient, signal: AbortSignal): Promise<Visit> {
  const { secure, nodes, key } = server;
  if (key === null) return lookFrom(secure, nodes[0] ?? { host: "", port: 0 });
  const link = new ServerLink({ secure, nodes, key }, keys ?? KeyPair.generate(systemRandom));
  const late = Promise.withResolvers<Visit>();
  const leave = (): void => {
    const { node } = link;
    link.close();
    late.resolve({ ...nothing, node, trouble: unreachable(node, "no answer in time") });
  };
  signal.addEventListener("abort", leave, { once: true });
  // What a failure was due to is found out for longer than this takes.
  return Promise.race([enter(link, keys !== null), late.promise]);
}

/** Without the server's key there is no channel, but it can be seen whether anybody is there. */
async function lookFrom(secure: boolean, node: ServerNode): Promise<Visit> {
  const place: Visit = { ...nothing, node };
  try {
    await fetchServerKey(secure, node, "any");
    return { ...place, isReached: true };
  } catch (error) {
    return { ...place, trouble: error instanceof UserError ? error : unreachable(node, stateOf(error)) };
  }
}

async function enter(link: ServerLink, signsIn: boolean): Promise<Visit> {
  let visited: Visit = { ...nothing, node: link.node, [Symbol.dispose]: () => link.close() };
  try {
    await link.connect();
    visited = { ...visited, node: link.node, isReached: true };
    return signsIn ? { ...visited, ...(await signedIn(link)) } : visited;
  } catch (error) {
    link.close();
    if (!(error instanceof UserError)) throw error;
    return { ...visited, trouble: error };
  }
}

async function signedIn(link: ServerLink): Promise<Pick<Visit, "rttMs" | "relays" | "tickets">> {
  const { relays } = await link.signIn();
  const [first, second] = [await timedTicket(link), await timedTicket(link)];
  return { relays, tickets: [first.ticket, second.ticket], rttMs: Math.min(first.rttMs, second.rttMs) };
}

async function timedTicket(link: ServerLink): Promise<{ readonly ticket: Ticket; readonly rttMs: number }> {
  const askedAt = performance.now();
  const answer: Answer = await link.request({ kind: "getTicket" });
  if (answer.kind === "ticket") return { ticket: answer, rttMs: performance.now() - askedAt };
  throw new UserError("internal", `the server answered ${answer.kind} when asked for a ticket`, { side: "server" });
}

const nothing = {
  isReached: false,
  trouble: null,
  rttMs: null,
  relays: null,
  tickets: [],
  [Symbol.dispose]: () => undefined,
};

function unreachable({ host, port }: ServerNode, state: string): UserError {
  return new UserError("server-unreachable", `cannot reach the server at ${formatHostPort(host, port)}: ${state}`, {
    side: "server",
    hint: "check the address and that the server runs; its port must be open for TCP",
  });
}
