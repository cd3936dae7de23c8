import type { Command } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { systemClock } from "../../runtime/clock.ts";
import { chatLines } from "../chat/chat-lines.ts";
import type { LiveNode } from "../live-node.ts";
import { openNode } from "../open-node.ts";
import { systemRandom } from "../own-device.ts";
import type { Incoming } from "../peer-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { type Inbox, OfferPlaces } from "../transfer/inbox.ts";
import { ReceivingFolder } from "../transfer/receiving-folder.ts";
import { orAborted } from "./message.ts";
import { isAnsweredElsewhere } from "./receive.ts";
import { ring } from "./ring.ts";
import { reportSession } from "./session-report.ts";

type ChatCommand = Command & { readonly kind: "chat" };

/** `p2p chat`: a screen at a terminal; without one each line of stdin is a message, and what the other says is printed. */
export async function runChat(command: ChatCommand, context: PeerContext): Promise<number> {
  if (context.terminal.fullScreen) {
    const { runCall } = await import("../guided/guided.ts");
    return runCall(command.person, context);
  }
  const inbox = context.settings.yes ? await inboxHere() : null;
  await using node = await openNode(context);
  const callers = new Callers(node, context);
  await callers.listen(command.person);
  const session = await ring(node, command.person, { purpose: "chat" }, context);
  const { terminal, settings, signal, output } = context;
  const chat = chatLines(session, {
    stdin: terminal.stdin,
    inbox,
    random: systemRandom,
    clock: systemClock,
    wallMs: Date.now,
    waitMs: settings.waitMs,
    signal,
    onEvent: (event) => output.event(event),
    moved: () => callers.next(),
  });
  await orAborted(Promise.race([chat, node.failed]), signal);
  return 0;
}

/** The one we talk to, when they ring: from another program, or after a break. That is no question. */
class Callers {
  readonly #node: LiveNode;
  readonly #context: PeerContext;
  #next = Promise.withResolvers<PeerSession>();

  constructor(node: LiveNode, context: PeerContext) {
    this.#node = node;
    this.#context = context;
  }

  listen(person: string): Promise<void> {
    const onIncoming = (incoming: Incoming): void => void this.#rung(incoming);
    return this.#node.listen({ answers: ["chat", "files"], people: [person], rank: "bound", onIncoming });
  }

  /** The session of the next ring from now on. */
  next(): Promise<PeerSession> {
    return this.#next.promise;
  }

  /** Never rejects. */
  async #rung(incoming: Incoming): Promise<void> {
    const { output, settings } = this.#context;
    try {
      const session = await incoming.accept();
      reportSession(session, output, settings.verbose);
      this.#next.resolve(session);
      this.#next = Promise.withResolvers<PeerSession>();
    } catch (error) {
      if (isAnsweredElsewhere(error)) return;
      output.error(error, { peer: incoming.from, session: incoming.session });
    }
  }
}

/** With --yes files are taken into the current folder, and declined otherwise. */
async function inboxHere(): Promise<Inbox> {
  const folder = await ReceivingFolder.open(process.cwd());
  const decide = () => Promise.resolve("accept" as const);
  return { folder, conflict: "number", maxBytes: null, places: new OfferPlaces(), decide, onEnd() {} };
}
