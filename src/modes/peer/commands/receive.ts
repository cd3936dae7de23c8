import type { ReceiveCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { Conversation } from "../chat/conversation.ts";
import type { LiveNode } from "../live-node.ts";
import { openNode } from "../open-node.ts";
import { systemRandom } from "../own-device.ts";
import type { Incoming } from "../peer-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { askChat, askFiles, askOffer } from "../prompts/requests.ts";
import { endReason } from "../transfer/failure.ts";
import { type Inbox, type IncomingEnd, type IncomingOffer, OfferPlaces } from "../transfer/inbox.ts";
import { ReceivingFolder } from "../transfer/receiving-folder.ts";
import { Transfers } from "../transfer/transfers.ts";
import { ofSession, reportSession } from "./session-report.ts";
import { orAborted } from "./message.ts";
import { endWhenSilent } from "./patience.ts";

/** `p2p receive`: can be found until a signal ends it, or with --once until one transfer is through. */
export async function runReceive(command: ReceiveCommand, context: PeerContext): Promise<number> {
  const folder = await ReceivingFolder.open(command.outFolder ?? process.cwd());
  await using node = await openNode(context);
  const receiver = new Receiver(command, context, node, folder);
  await receiver.listen();
  node.onServer((isUp) => context.output.note(isUp ? SERVER_BACK : SERVER_AWAY));
  context.output.event({ event: "waiting" });
  try {
    const end = await orAborted(Promise.race([receiver.firstEnd, node.failed]), context.signal);
    await receiver.settle();
    if (end.error !== null) throw end.error;
    return 0;
  } finally {
    await receiver.cancel(new UserError("interrupted", "the receiver was ended"));
  }
}

class Receiver {
  /** Resolves with the first transfer's end, with --once. */
  readonly firstEnd: Promise<IncomingEnd>;
  readonly #firstEnd = Promise.withResolvers<IncomingEnd>();
  readonly #command: ReceiveCommand;
  readonly #context: PeerContext;
  readonly #node: LiveNode;
  readonly #inbox: Inbox;
  readonly #talks = new Map<PeerSession, { readonly conversation: Conversation; readonly transfers: Transfers }>();
  /** Sessions whose ring was a question already, with what was agreed to. */
  readonly #agreed = new Map<string, { readonly count: number; readonly bytes: number }>();
  /** One question at a time. */
  #questions: Promise<unknown> = Promise.resolve();

  constructor(command: ReceiveCommand, context: PeerContext, node: LiveNode, folder: ReceivingFolder) {
    this.firstEnd = this.#firstEnd.promise;
    this.#command = command;
    this.#context = context;
    this.#node = node;
    const { conflict, maxBytes } = command;
    this.#inbox = {
      folder,
      conflict,
      maxBytes,
      places: new OfferPlaces(),
      decide: (offer, signal) => this.#decideOffer(offer, signal),
      onEnd: (end) => this.#ended(end),
    };
  }

  listen(): Promise<void> {
    const { terminal } = this.#context;
    return this.#node.listen({
      answers: ["chat", "files"],
      people: this.#command.from,
      rank: terminal.interactive ? "attended" : "unattended",
      onIncoming: (incoming) => void this.#rung(incoming),
      onChangedKey: (name) => this.#warn(name),
    });
  }

  /** The sender closes the session when it has heard the last word; give it the time to. */
  async settle(): Promise<void> {
    await Promise.race([Promise.all(this.#talks.keys().map(({ ended }) => ended)), Bun.sleep(SETTLE_MS)]);
  }

  /** So that no partial file is left behind. */
  async cancel(reason: UserError): Promise<void> {
    await Promise.all(this.#talks.entries().map(([session, { transfers }]) => cutOff(session, transfers, reason)));
  }

  /** Never rejects. */
  async #rung(incoming: Incoming): Promise<void> {
    const { from, session, purpose, trust, greeting, offer } = incoming;
    const summary = offer && {
      count: offer.count,
      bytes: offer.bytes,
      files: offer.first,
    };
    this.#context.output.event({
      event: "request",
      peer: from,
      session,
      from,
      purpose,
      trust,
      ...(greeting && { greeting }),
      ...summary,
    });
    try {
      const decision = await this.#decideRing(incoming);
      if (decision === "gone") return;
      if (decision === "decline") return incoming.decline("declined");
      const accepted = await incoming.accept();
      try {
        this.#start(accepted, incoming);
      } catch (error) {
        // Nobody would ever read what they send.
        void accepted.close("internal", "a defect of the other program");
        throw error;
      }
    } catch (error) {
      if (isAnsweredElsewhere(error)) this.#context.output.note(answeredElsewhere(incoming));
      else this.#context.output.error(error, { peer: from, session });
    }
  }

  /** `gone`: they gave up, or another program answered, while the question stood. */
  async #decideRing(incoming: Incoming): Promise<"accept" | "decline" | "gone"> {
    const { settings, output, terminal, signal } = this.#context;
    if (settings.no) output.note(`declined ${incoming.from}, as --no says`);
    if (settings.no) return "decline";
    if (settings.yes || (incoming.purpose === "chat" && incoming.trust !== "none")) return "accept";
    const withdrawn = abortedBy(incoming.withdrawn);
    const either = AbortSignal.any([signal, withdrawn]);
    const ask = incoming.purpose === "chat" ? askChat : askFiles;
    const yes = await this.#inTurn(() => ask(terminal, either, incoming, this.#inbox.folder.path));
    if (!withdrawn.aborted) return yes ? "accept" : "decline";
    output.note(
      (await incoming.withdrawn) === "answered-elsewhere" ? answeredElsewhere(incoming) : hasGivenUp(incoming),
    );
    return "gone";
  }

  #start(session: PeerSession, { offer }: Incoming): void {
    const { output, settings } = this.#context;
    if (offer !== null) this.#agreed.set(session.peer, offer);
    reportSession(session, output, settings.verbose);
    // Somebody waits for the end of that one; without --once a laptop that sleeps may wake up again.
    if (this.#command.once) endWhenSilent(session, settings.waitMs);
    const who = ofSession(session);
    const conversation = new Conversation(session, {
      onLine: (line) => output.event({ ...who, event: "message", from: session.peer, ...line }),
      onDelivered() {},
      onRead() {},
      onTyping() {},
      onLeft() {},
    });
    const transfers = new Transfers(session, {
      inbox: this.#inbox,
      random: systemRandom,
      onEvent: (event) => output.event(event),
    });
    this.#talks.set(session, { conversation, transfers });
    void session.ended.then(() => this.#talks.delete(session));
  }

  /** What was agreed to when they rang is not asked again; anything else is. */
  async #decideOffer(offer: IncomingOffer, signal: AbortSignal): Promise<"accept" | "decline"> {
    const { settings, terminal } = this.#context;
    if (settings.no) return "decline";
    const agreed = this.#agreed.get(offer.from);
    this.#agreed.delete(offer.from);
    if (settings.yes || (agreed?.count === offer.count && agreed.bytes === offer.bytes)) return "accept";
    return (await this.#inTurn(() => askOffer(terminal, signal, offer, this.#inbox.folder.path)))
      ? "accept"
      : "decline";
  }

  #ended(end: IncomingEnd): void {
    const { output, signal } = this.#context;
    // Nobody needs to be told of their own Ctrl-C, but a program may.
    const isOwnDoing = signal.aborted && !output.json;
    if (end.error !== null && !this.#command.once && !isOwnDoing)
      output.error(end.error, { peer: end.from, id: end.id });
    if (this.#command.once) this.#firstEnd.resolve(end);
  }

  #warn(name: string): void {
    const hint = `ask ${name} another way whether they changed devices`;
    const problem = new UserError("peer-key-changed", `${name} tried to reach you with a key that is not known here`, {
      side: "remote",
      hint,
    });
    this.#context.output.error(problem, { peer: name });
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const turn = this.#questions.then(ask);
    this.#questions = turn.catch(() => undefined);
    return turn;
  }
}

const SERVER_AWAY = "the server is away, so nobody can find you; it is tried again and again";
const SERVER_BACK = "the server is back; waiting";

/** After the end of the one transfer of --once. Milliseconds. */
const SETTLE_MS = 2_000;

function answeredElsewhere({ from }: Incoming): string {
  return `another program of yours has answered ${from}`;
}

async function cutOff(session: PeerSession, transfers: Transfers, reason: UserError): Promise<void> {
  const wasBusy = transfers.isBusy;
  await transfers.cancel(reason);
  if (wasBusy) await session.close("peer-gone", endReason(reason));
}

function hasGivenUp({ from }: Incoming): string {
  return `${from} has given up`;
}

/** Ringing goes to all programs of a person, and the fastest has the session: that is no failure of the others. */
export function isAnsweredElsewhere(error: unknown): boolean {
  return error instanceof UserError && error.code === "answered-elsewhere";
}

export function abortedBy(promise: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  void promise.then(() => controller.abort());
  return controller.signal;
}
