import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { systemClock } from "../../runtime/clock.ts";
import { type Account, readAccount } from "../account.ts";
import { pathRules } from "../chat/typed-paths.ts";
import type { ChatOutcome } from "../chat/room.ts";
import { type Home, openHome } from "../home.ts";
import { openIdentity } from "../identity.ts";
import { enrol, openNode } from "../open-node.ts";
import { systemRandom } from "../own-device.ts";
import type { Listening } from "../peer-node.ts";
import { OfferPlaces } from "../transfer/inbox.ts";
import { ReceivingFolder } from "../transfer/receiving-folder.ts";
import type { Desk } from "./desk.ts";
import { Doorbell } from "./doorbell.ts";
import { downloadsFolder, thisDownloadsPlace } from "./downloads.ts";
import { enterAgain, type Entered, enterFirst, type Gates } from "./entrance.ts";
import { runMenu } from "./menu.ts";
import { type OwnServer, selfCommand, startOwnServer } from "./own-server.ts";
import { Roster } from "./roster.ts";
import { callPerson, talk } from "./talk.ts";
import { reachNote, welcome } from "./welcome.ts";

/** `p2p`, `p2p JOIN`, `p2p peer`: from the first start to the menu, and what it leads to. @returns the exit status */
export async function runGuided(context: PeerContext): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const home = openHome(context.home);
  const folder = await ReceivingFolder.open(downloadsFolder(thisDownloadsPlace(context.env)));
  const gates = gatesOf(context, stack);
  const entered = await enter(context, readAccount(home), gates);
  if (entered === null) return 0;
  const { node, joinLine } = entered;
  stack.use(node);
  await sitDown(deskOf({ context, node, joinLine, isServerHere: gates.isServerHere, folder, home }));
  return 0;
}

/** `p2p chat PERSON` at a terminal: their chat and files alone, until one of the two leaves. @returns the exit status */
export async function runCall(person: string, context: PeerContext): Promise<number> {
  const home = openHome(context.home);
  const folder = await ReceivingFolder.open(process.cwd());
  await using node = await openNode(context);
  const desk = deskOf({ context, node, joinLine: "", isServerHere: false, folder, home });
  await node.listen({ answers: ["chat", "files"], people: [person], rank: "bound", ...ears(desk) });
  const outcome = await goOn(desk, await callPerson(desk, person).catch(asInterrupted));
  desk.signal.throwIfAborted();
  if (outcome.how === "interrupted") throw interrupted();
  if (outcome.end === null) return 0;
  const { code, reason, side } = outcome.end;
  throw new UserError(code, `the chat with ${person} broke off: ${reason}`, { side });
}

/** They may have rung from another program, or again after a break. @returns how the last chat was over */
async function goOn(desk: Desk, before: ChatOutcome): Promise<ChatOutcome> {
  if (before.how !== "moved" && before.how !== "ended") return before;
  const next = desk.doorbell.take();
  if (next === null) return before;
  if (next.purpose === "chat") return goOn(desk, await talk(desk, await next.accept()));
  next.decline("no-answer");
  return goOn(desk, before);
}

/** Here there is no menu to come back to. */
function asInterrupted(error: unknown): never {
  throw error instanceof UserError && error.code === "cancelled" ? interrupted() : error;
}

function interrupted(): UserError {
  return new UserError("interrupted", "interrupted");
}

function deskOf({
  home,
  ...given
}: Pick<Desk, "context" | "node" | "joinLine" | "isServerHere" | "folder"> & { readonly home: Home }): Desk {
  const over = new AbortController();
  given.node.failed.catch((error: unknown) => over.abort(error));
  return {
    ...given,
    roster: new Roster(given.node),
    doorbell: new Doorbell(),
    places: new OfferPlaces(),
    paths: pathRules(given.context.env),
    clock: systemClock,
    random: systemRandom,
    wallMs: Date.now,
    ownKey: openIdentity(home).keys.publicKey,
    signal: AbortSignal.any([given.context.signal, over.signal]),
  };
}

/** From here on others can reach this program. @throws the reason why it is to end */
export async function sitDown(desk: Desk): Promise<void> {
  const { context, node, folder, joinLine } = desk;
  await node.listen({ answers: ["chat", "files"], people: [], rank: "attended", ...ears(desk) });
  welcome(context.output, node, folder.path, joinLine);
  await runMenu(desk);
}

function ears({ doorbell }: Desk): Pick<Listening, "onIncoming" | "onChangedKey"> {
  return { onIncoming: (incoming) => doorbell.ring(incoming), onChangedKey: (name) => doorbell.warn(name) };
}

function enter(context: PeerContext, account: Account | null, gates: Gates): Promise<Entered | null> {
  const { server } = context.settings;
  if (account === null) return enterFirst(context, server, gates);
  const key = server?.key ?? account.server.key;
  if (Buffer.compare(key, account.server.key) === 0) return enterAgain(context, account, gates);
  const hint = "sign out with `p2p logout`, or give another folder with --home DIR";
  throw new UserError("already-registered", `this home belongs to ${account.name} on another server`, { hint });
}

function gatesOf(context: PeerContext, stack: AsyncDisposableStack): Gates & { readonly isServerHere: boolean } {
  let own: OwnServer | null = null;
  return {
    get isServerHere() {
      return own !== null;
    },
    signIn: () => openNode(context),
    enrol: (enrolment) => enrol(context, enrolment),
    startServer: async () => {
      own ??= stack.use(await startOwnServer(selfCommand(), context.signal));
      const [node] = own.line.nodes;
      const note = node === undefined ? null : reachNote(node);
      if (note !== null) context.output.note(note);
      return own;
    },
  };
}
