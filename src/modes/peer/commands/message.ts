import type { MessageCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { MAX_CHAT_BYTES } from "../../../wire/limits.ts";
import { chatBytes, Conversation } from "../chat/conversation.ts";
import { openNode } from "../open-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { endWhenSilent } from "./patience.ts";
import { wholeText } from "./stdin.ts";
import { ring } from "./ring.ts";
import { ofSession } from "./session-report.ts";

/** `p2p msg`: one message, and an end when the other side has it. */
export async function runMessage({ person, text }: MessageCommand, context: PeerContext): Promise<number> {
  const message = text ?? (await wholeText(context.terminal.stdin, MAX_CHAT_BYTES + 2)).replace(/\r?\n$/, "");
  if (message === "")
    throw new UserError("usage", "there is nothing to send: the message is empty", { hint: "add some text" });
  chatBytes(message);
  await using node = await openNode(context);
  const session = await ring(node, person, { purpose: "chat" }, context);
  endWhenSilent(session, context.settings.waitMs);
  await post(session, message, context);
  await session.close();
  return 0;
}

async function post(session: PeerSession, message: string, { output, signal }: PeerContext): Promise<void> {
  const who = ofSession(session);
  const conversation = new Conversation(session, silent);
  const { id, delivered } = await conversation.write(message, Date.now());
  output.event({ ...who, event: "posted", id, to: session.peer });
  await orAborted(delivered, signal);
  output.event({ ...who, event: "delivered", id, to: session.peer });
  await conversation.leave();
}

/** What the other side says while one message is on its way is not for this command. */
const silent = { onLine() {}, onDelivered() {}, onRead() {}, onTyping() {}, onLeft() {} };

/** @throws the signal's reason as soon as there is one */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
