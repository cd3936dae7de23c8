import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { formatJoinLine, type JoinLine } from "../../cli/join-line.ts";
import type { Account } from "../account.ts";
import type { PeerNode } from "../peer-node.ts";
import { askChoice } from "../prompts/choice.ts";
import { askJoinLine } from "../prompts/join.ts";
import { askTrust } from "../prompts/secrets.ts";
import { withServerKey } from "../server-choice.ts";
import { enrolHere, type EnrollingOptions } from "./enrolling.ts";
import type { OwnServer } from "./own-server.ts";
import { tellProblem } from "./tell-problem.ts";

/** What the way in leads through; a test brings its own. */
export interface Gates {
  /** Signs in with the account of this home. */
  signIn(): Promise<PeerNode>;
  readonly enrol: EnrollingOptions["enrol"];
  /** Starts a server that runs as long as this program. */
  startServer(): Promise<OwnServer>;
}

/** Somebody is signed in. */
export interface Entered {
  readonly node: PeerNode;
  /** What to tell friends. */
  readonly joinLine: string;
}

/** The first start of a home: from a join line, or from none, to an account. @returns null when the person backed out */
export async function enterFirst(context: PeerContext, line: JoinLine | null, gates: Gates): Promise<Entered | null> {
  let given = line;
  for (;;) {
    const found = given ?? (await findServer(context, gates));
    if (found === null) return null;
    const entered = await enterWith(context, found, gates, null);
    if (entered !== null || (given !== null && !(await wantsAnother(context)))) return entered;
    given = null;
  }
}

/** Every later start. What cannot be signed in with any more leads to its password. @returns null when the person backed out */
export async function enterAgain(context: PeerContext, account: Account, gates: Gates): Promise<Entered | null> {
  const joinLine = formatJoinLine(account.server);
  for (;;) {
    try {
      return { node: await gates.signIn(), joinLine };
    } catch (error) {
      tellProblem(context, error);
      const code = error instanceof UserError ? error.code : "internal";
      if (code === "not-signed-in" || code === "revoked")
        return enterWith(context, account.server, gates, account.name);
      if (!(await isMended(context, code, gates))) return null;
    }
  }
}

async function enterWith(
  context: PeerContext,
  line: JoinLine,
  gates: Gates,
  knownName: string | null,
): Promise<Entered | null> {
  const { terminal, signal, settings } = context;
  try {
    const server = await withServerKey(line, async (key) => settings.trustFirstUse || askTrust(terminal, signal, key));
    const node = await enrolHere(context, { server, knownName, enrol: gates.enrol });
    return node && { node, joinLine: formatJoinLine(server) };
  } catch (error) {
    tellProblem(context, error);
    return null;
  }
}

/** @returns null when the person backed out */
async function findServer(context: PeerContext, gates: Gates): Promise<JoinLine | null> {
  const { terminal, signal } = context;
  for (;;) {
    const choice = await askChoice(terminal, signal, "p2p meets friends on a server. Do you have its join line?", [
      { value: "have", label: "Yes, I have one" },
      { value: "start", label: "No: start a server here", hint: "it runs as long as this program" },
    ]);
    signal.throwIfAborted();
    if (choice === null) return null;
    const line = choice === "have" ? await askJoinLine(terminal, signal) : await startHere(context, gates);
    signal.throwIfAborted();
    if (line !== null) return line;
  }
}

async function startHere(context: PeerContext, gates: Gates): Promise<JoinLine | null> {
  context.output.status("starting a server");
  try {
    return (await gates.startServer()).line;
  } catch (error) {
    tellProblem(context, error);
    return null;
  } finally {
    context.output.status("");
  }
}

async function wantsAnother({ terminal, signal }: PeerContext): Promise<boolean> {
  const choice = await askChoice(terminal, signal, "How do you want to go on?", [
    { value: "another", label: "With another join line" },
    { value: "quit", label: "Quit" },
  ]);
  signal.throwIfAborted();
  return choice === "another";
}

/** @returns whether to try again */
async function isMended(context: PeerContext, code: UserError["code"], gates: Gates): Promise<boolean> {
  if (code !== "server-unreachable" && code !== "busy" && code !== "limited") return false;
  const choice = await askChoice(context.terminal, context.signal, "Try again?", [
    { value: "again", label: "Try again" },
    { value: "start", label: "It was the server on this computer: start it" },
    { value: "quit", label: "Quit" },
  ]);
  context.signal.throwIfAborted();
  if (choice === "start") await startHere(context, gates);
  return choice === "again" || choice === "start";
}
