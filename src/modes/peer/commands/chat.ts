import { createInterface } from "node:readline";
import { UserError } from "../../cli/errors.ts";
import type { Command } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { Conversation } from "../chat/conversation.ts";
import type { LiveNode } from "../live-node.ts";
import { openNode } from "../open-node.ts";
import { systemRandom } from "../own-device.ts";
import type { Incoming } from "../peer-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { OfferPlaces, type Inbox } from "../transfer/inbox.ts";
import { ReceivingFolder } from "../transfer/receiving-folder.ts";
import { Transfers } from "../transfer/transfers.ts";
import { orAborted } from "./message.ts";
import { ofSession, reportSession } from "./session-report.ts";

type ChatCommand = Command & { readonly kind: "chat" };

/** After stdin ended, how long the last lines may take to arrive. Milliseconds. */
const LAST_LINES_MS = 60_000;

/** `p2p chat` without a terminal: each line of stdin is a message, and what the other says is printed. */
export async function runChatLines({ person }: ChatCommand, context: PeerContext): Promise<number> {
  const folder = context.settings.yes ? await ReceivingFolder.open(process.cwd()) : null;
  await using node = await openNode(context);
  const chat = new ChatLines(node, context, folder);
  await chat.listen(person);
  const { settings, signal } = context;
  chat.join(await node.ask(person, { purpose: "chat", waitMs: settings.waitMs, signal }));
  try {
    await orAborted(Promise.race([chat.left, chat.writeAll(), node.failed]), signal);
  } finally {
    await chat.cancelTransfers();
  }
  return 0;
}

class ChatLines {
  /** Resolves when the other person left; rejects when the session broke. */
  readonly left: Promise<void>;
  readonly #left = Promise.withResolvers<void>();
  readonly #node: LiveNode;
  readonly #context: PeerContext;
  readonly #folder: ReceivingFolder | null;
  #session: PeerSession | null = null;
  #conversation: Conversation | null = null;
  readonly #transfers = new Set<Transfers>();

  constructor(node: LiveNode, context: PeerContext, folder: ReceivingFolder | null) {
    this.left = this.#left.promise;
    this.left.catch(() => undefined);
    this.#node = node;
    this.#context = context;
    this.#folder = folder;
  }

  /** A ring of the one we talk to is no question: it is them, from another program or after a break. */
  listen(person: string): Promise<void> {
    return this.#node.listen({
      answers: ["chat", "files"],
      people: [person],
      rank: "bound",
      onIncoming: (incoming) => void this.#rung(incoming),
    });
  }

  /** What we write goes to this session from now on; the one before stays open for what is under way. */
  join(session: PeerSession): void {
    const { output } = this.#context;
    const who = ofSession(session);
    reportSession(session, output);
    this.#session = session;
    this.#conversation = new Conversation(session, {
      onLine: (line) => output.event({ ...who, event: "message", from: session.peer, ...line }),
      onDelivered: (id) => output.event({ ...who, event: "delivered", id, to: session.peer }),
      onRead: (id) => output.event({ ...who, event: "read", id }),
      onTyping() {},
      onLeft: () => this.#session === session && this.#left.resolve(),
    });
    const transfers = new Transfers(session, {
      inbox: this.#inbox(),
      random: systemRandom,
      onEvent: (event) => output.event(event),
    });
    this.#transfers.add(transfers);
    void session.ended.then(({ code, reason, side }) => {
      this.#transfers.delete(transfers);
      if (this.#session === session)
        this.#left.reject(new UserError(code, `${session.peer} is gone: ${reason}`, { side }));
    });
  }

  /** @throws UserError `peer-gone` when the last lines do not arrive */
  async writeAll(): Promise<void> {
    const lines = createInterface({ input: this.#context.terminal.stdin, crlfDelay: Infinity });
    for await (const line of lines) if (line !== "") await this.#write(line);
    await Promise.race([this.#conversation?.leave(), Bun.sleep(LAST_LINES_MS)]);
    if ((this.#conversation?.undelivered ?? 0) > 0)
      throw new UserError("peer-gone", "the last lines did not arrive", { side: "remote" });
  }

  async #write(text: string): Promise<void> {
    const [session, conversation] = [this.#session, this.#conversation];
    if (session === null || conversation === null) return;
    const { id } = await conversation.write(text, Date.now());
    this.#context.output.event({ ...ofSession(session), event: "posted", id, to: session.peer });
  }

  /** So that no partial file is left behind. */
  async cancelTransfers(): Promise<void> {
    const reason = new UserError("interrupted", "the chat has ended");
    await Promise.all([...this.#transfers].map((transfers) => transfers.cancel(reason)));
  }

  /** Never rejects. */
  async #rung(incoming: Incoming): Promise<void> {
    try {
      this.join(await incoming.accept());
    } catch (error) {
      this.#context.output.error(error, { peer: incoming.from, session: incoming.session });
    }
  }

  #inbox(): Inbox | null {
    const folder = this.#folder;
    if (folder === null) return null;
    const decide = () => Promise.resolve("accept" as const);
    return { folder, conflict: "number", maxBytes: null, places: new OfferPlaces(), decide, onEnd() {} };
  }
}
