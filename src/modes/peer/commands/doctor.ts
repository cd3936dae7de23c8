import type { DoctorCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { readAccount } from "../account.ts";
import { examine } from "../doctor/examine.ts";
import { examinePair } from "../doctor/examine-pair.ts";
import { pairEvent, reportEvent } from "../doctor/report-event.ts";
import type { Patient } from "../doctor/server-visit.ts";
import { homeAt } from "../home.ts";
import { openIdentity } from "../identity.ts";
import { openNode } from "../open-node.ts";
import { isRelayed } from "../session-path.ts";
import { endWhenSilent } from "./patience.ts";
import { ring } from "./ring.ts";

export function runDoctor({ person }: DoctorCommand, context: PeerContext): Promise<number> {
  return person === null ? lookAtNetwork(context) : lookAtPath(person, context);
}

/** `p2p doctor`: what this network allows, whatever is missing: an account, a server, a network. @throws UserError what the server's trouble is */
async function lookAtNetwork({ home, settings, output, signal }: PeerContext): Promise<number> {
  const patient = patientOf(home, settings);
  output.status("looking at the network; five seconds at most");
  const isHidden = settings.relayOnly;
  const asksRouters = settings.portMapping && !isHidden;
  const looking = examine(patient, { isHidden, asksRouters, signal });
  const findings = await looking.finally(() => output.status(""));
  output.event(reportEvent(findings, settings.verbose));
  const trouble = findings.visit?.trouble ?? null;
  if (trouble !== null) throw trouble;
  if ((patient?.keys ?? null) === null) output.note(`hint: ${WITHOUT_ACCOUNT}`);
  return 0;
}

const WITHOUT_ACCOUNT = "join a server, with p2p JOIN-LINE: it is the one who can look at this network from outside";

const TRY_AGAIN = "try again in a moment";

/** `p2p doctor PERSON`: direct or not, and why. @throws UserError `no-path` when it is not */
async function lookAtPath(person: string, context: PeerContext): Promise<number> {
  const { settings, output, signal } = context;
  await using node = await openNode(context);
  // To a person the report says it all, and once.
  const sink = output.json || settings.verbose ? output : { event: () => undefined };
  const session = await ring(node, person, { purpose: "ping" }, context, sink);
  endWhenSilent(session, settings.waitMs);
  output.status("looking for a direct path; twelve seconds at most");
  const look = await examinePair(session, () => node.report, signal).finally(() => output.status(""));
  const event = pairEvent(session, node.report, look);
  output.event(event);
  const { relayedBecause: because, peer } = session;
  const isDirect = !isRelayed(session.path);
  await session.close();
  if (isDirect) return 0;
  throw new UserError("no-path", `no direct path to ${peer}`, { hint: because?.remedy ?? TRY_AGAIN });
}

/** The home is only read: to look at a network makes nobody a folder. @throws UserError `config` when what lies there is broken */
function patientOf(folder: string, { server }: PeerContext["settings"]): Patient | null {
  const home = homeAt(folder);
  const account = readAccount(home);
  if (account !== null) return { server: account.server, keys: openIdentity(home).keys };
  return server === null ? null : { server, keys: null };
}
