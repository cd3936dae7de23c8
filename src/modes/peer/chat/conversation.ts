import { equalBytes, fromHex, toHex, utf8 } from "../../../wire/bytes.ts";
import { WireError } from "../../../wire/errors.ts";
import { MAX_CHAT_BYTES } from "../../../wire/limits.ts";
import { chat, type ChatMessage } from "../../../wire/messages/chat.ts";
import { UserError } from "../../cli/errors.ts";
import type { PeerSession } from "../peer-session.ts";

/** A line of chat. */
export interface Line {
  /** 32 hex characters, chosen by the writer. */
  readonly id: string;
  readonly text: string;
  /** Unix time of the writer's clock. */
  readonly sentAtMs: number;
}

/** What the other end does. Handlers may not throw. */
export interface ConversationEvents {
  onLine(line: Line): void;
  /** The other end's program has the line. */
  onDelivered(id: string): void;
  onRead(id: string): void;
  onTyping(): void;
  /** The other person has finished; what is under way still arrives. */
  onLeft(): void;
}

/** Lines whose ids are remembered, so that one that comes twice shows once; a peer cannot make this grow. */
const REMEMBERED = 4_096;
/** Lines not yet reported as delivered; a peer that reports none makes us wait, not grow. */
const MAX_UNDELIVERED = 1_024;
const lossyUtf8 = new TextDecoder("utf-8");

/** The chat of one session: PROTOCOL.md §9.2. Lines arrive in order and once; delivery is told per line. */
export class Conversation {
  readonly #session: PeerSession;
  readonly #events: ConversationEvents;
  readonly #seen = new Set<string>();
  readonly #undelivered = new Map<string, PromiseWithResolvers<void>>();

  constructor(session: PeerSession, events: ConversationEvents) {
    this.#session = session;
    this.#events = events;
    session.chat.onMessage((bytes) => this.#received(chat.decode(bytes)));
    session.onDatagram((bytes) => this.#hinted(bytes));
    void session.ended.then((end) =>
      this.#end(new UserError(end.code, `not delivered: ${end.reason}`, { side: end.side })),
    );
  }

  /** Lines the other end has not reported yet. */
  get undelivered(): number {
    return this.#undelivered.size;
  }

  /**
   * Resolves when the line is on its way; `delivered` when the other end's program has it, and rejects when the session ends before.
   * @throws UserError `too-large` for more than 8 KiB of UTF-8, or the session's end
   */
  async write(
    text: string,
    sentAtMs: number,
    id = newId(),
  ): Promise<{ readonly id: string; readonly delivered: Promise<void> }> {
    const bytes = chatBytes(text);
    if (this.#undelivered.size >= MAX_UNDELIVERED)
      throw new UserError("busy", "too many lines wait for the other side", { side: "remote" });
    const delivery = Promise.withResolvers<void>();
    delivery.promise.catch(() => undefined);
    this.#undelivered.set(id, delivery);
    try {
      await this.#say({ kind: "text", id: idBytes(id), text: bytes, sentAtMs });
    } catch (error) {
      this.#undelivered.delete(id);
      throw error;
    }
    return { id, delivered: delivery.promise };
  }

  /** A hint, sent once and perhaps lost. */
  showTyping(): void {
    this.#session.sendDatagram(chat.encode({ kind: "typing" }));
  }

  /** Says that nothing more follows, and waits until everything said has arrived. */
  async leave(): Promise<void> {
    await this.#say({ kind: "leaving" });
    await this.#session.chat.flushed();
  }

  #received(message: ChatMessage): void {
    switch (message.kind) {
      case "text":
        return this.#heard(toHex(message.id), message);
      case "delivered":
        return this.#settled(toHex(message.id));
      case "read":
        return this.#events.onRead(toHex(message.id));
      case "leaving":
        return this.#events.onLeft();
      case "typing":
        throw new WireError("protocol-error", "typing belongs in a datagram");
    }
  }

  #heard(id: string, message: ChatMessage & { kind: "text" }): void {
    // Said again even for a repeated line: the first report may have been lost with an earlier session.
    this.#say({ kind: "delivered", id: message.id }).catch(() => undefined);
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED) for (const oldest of this.#seen.values().take(1)) this.#seen.delete(oldest);
    this.#events.onLine({ id, text: lossyUtf8.decode(message.text), sentAtMs: message.sentAtMs });
  }

  #settled(id: string): void {
    const delivery = this.#undelivered.get(id);
    if (delivery === undefined) return;
    this.#undelivered.delete(id);
    delivery.resolve();
    this.#events.onDelivered(id);
  }

  #hinted(bytes: Uint8Array): void {
    if (equalBytes(bytes, TYPING)) this.#events.onTyping();
  }

  #say(message: ChatMessage): Promise<void> {
    return this.#session.chat.send(chat.encode(message));
  }

  #end(problem: UserError): void {
    for (const delivery of this.#undelivered.values()) delivery.reject(problem);
    this.#undelivered.clear();
  }
}

const TYPING = chat.encode({ kind: "typing" });

/** @returns `text` as it travels: well-formed UTF-8. @throws UserError `too-large` */
export function chatBytes(text: string): Uint8Array {
  const bytes = utf8(text.toWellFormed());
  if (bytes.length <= MAX_CHAT_BYTES) return bytes;
  const hint = "send it as a file: `p2p send - --as NAME.txt @NAME`";
  throw new UserError("too-large", `the message has ${bytes.length} bytes, more than ${MAX_CHAT_BYTES}`, { hint });
}

export function newId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}

function idBytes(id: string): Uint8Array {
  const bytes = fromHex(id);
  if (bytes?.length !== 16) throw new RangeError("the id of a line has 32 hex characters");
  return bytes;
}
