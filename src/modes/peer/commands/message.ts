import type { MessageCommand, PingCommand } from "../../cli/command.ts";
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

const PING_INTERVAL_MS = 1_000;
const MAX_PINGS_UNTIL_DIRECT = 30;

/** `p2p ping`: round trips over the session itself. */
export async function runPing({ person, count, untilDirect }: PingCommand, context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  const { signal, output, settings } = context;
  const session = await ring(node, person, { purpose: "ping" }, context);
  endWhenSilent(session, settings.waitMs);
  const pings = untilDirect ? MAX_PINGS_UNTIL_DIRECT : count;
  for (let sent = 0; sent < pings; sent++) {
    if (sent > 0) await orAborted(Bun.sleep(PING_INTERVAL_MS), signal);
    const rttMs = Math.round((await orAborted(session.ping(), signal)) * 1_000) / 1_000;
    output.event({ ...ofSession(session), event: "pong", rttMs, path: session.path.kind });
    if (untilDirect && !isRelayed(session)) break;
  }
  const failed = untilDirect && isRelayed(session);
  await session.close();
  if (failed)
    throw new UserError("no-path", `no direct path to ${person} in ${pings} pings`, { hint: session.path.why });
  return 0;
}

function isRelayed({ path }: PeerSession): boolean {
  return path.kind === "relay-ws" || path.kind === "relay-udp";
}

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
