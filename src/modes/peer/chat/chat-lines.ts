import type { Random } from "../../../wire/core.ts";
import type { CliEvent } from "../../cli/events.ts";
import { UserError } from "../../cli/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { PeerSession } from "../peer-session.ts";
import { endReason } from "../transfer/failure.ts";
import type { Inbox } from "../transfer/inbox.ts";
import { Transfers } from "../transfer/transfers.ts";
import { Conversation } from "./conversation.ts";
import { inputLines } from "./input-lines.ts";

export interface ChatLinesOptions {
  /** Each line of it is a message; blank ones are none. */
  readonly stdin: AsyncIterable<unknown>;
  /** Null: files are declined. */
  readonly inbox: Inbox | null;
  readonly random: Random;
  readonly clock: Clock;
  /** Unix time. Milliseconds. */
  readonly wallMs: () => number;
  /** How long the last lines may take to arrive. Milliseconds. */
  readonly waitMs: number;
  /** Its reason, a UserError, ends it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: CliEvent) => void;
  /** Resolves when the other person rang from another program, or again after a break: the chat goes on there. */
  readonly moved: () => Promise<PeerSession>;
}

/** Lines under way at a time; more wait in stdin. */
const MAX_UNDER_WAY = 256;

/**
 * A chat without a screen. It takes the whole session and closes it. Resolves when stdin has ended and everything was delivered,
 * or when the other end has left.
 * @throws UserError `no-answer` when lines stay undelivered for the whole wait, the session's end when it broke off, `too-large`
 * for a line that is none, or the reason of the signal
 */
export async function chatLines(first: PeerSession, options: ChatLinesOptions): Promise<void> {
  const lines = new LineSource(inputLines(options.stdin));
  for (let session: PeerSession | null = first; session !== null;) session = await chatOver(session, lines, options);
}

/** @returns where the chat goes on; null when it is over */
async function chatOver(
  session: PeerSession,
  lines: LineSource,
  options: ChatLinesOptions,
): Promise<PeerSession | null> {
  const { promise: left, resolve: leave } = Promise.withResolvers<"left">();
  const conversation = converse(session, options, () => leave("left"));
  const { inbox, random, onEvent } = options;
  const transfers = new Transfers(session, { inbox, random, onEvent });
  const stop = new AbortController();
  try {
    const said = say(session, conversation, lines, options, stop.signal);
    const next = await Promise.race([said, left, broken(session, left), options.moved(), aborted(options.signal)]);
    if (isSession(next)) return next;
    await Promise.race([transfers.idle(), session.ended, aborted(options.signal)]);
    return null;
  } finally {
    stop.abort();
    const reason = new UserError("cancelled", "the chat was left");
    const wasBusy = transfers.isBusy;
    await transfers.cancel(reason);
    conversation.leave().catch(() => undefined);
    await session.close("peer-gone", endReason(wasBusy ? reason : null));
  }
}

function isSession(outcome: PeerSession | "left" | void): outcome is PeerSession {
  return typeof outcome === "object";
}

/** Lines that wait to be taken: one that came while the chat moved is said where it goes on. */
class LineSource {
  readonly #lines: AsyncGenerator<string>;
  #next: Promise<IteratorResult<string>> | null = null;

  constructor(lines: AsyncGenerator<string>) {
    this.#lines = lines;
  }

  peek(): Promise<IteratorResult<string>> {
    this.#next ??= this.#lines.next();
    return this.#next;
  }

  take(): void {
    this.#next = null;
  }
}

function converse(session: PeerSession, { onEvent }: ChatLinesOptions, onLeft: () => void): Conversation {
  const who = { peer: session.peer, session: session.id };
  return new Conversation(session, {
    onLine: (line) => onEvent({ ...who, event: "message", from: session.peer, ...line }),
    onDelivered: (id) => onEvent({ ...who, event: "delivered", id, to: session.peer }),
    onRead: (id) => onEvent({ ...who, event: "read", id }),
    onTyping() {},
    onLeft,
  });
}

/** Resolves when stdin has ended and all of it was delivered. */
async function say(
  session: PeerSession,
  conversation: Conversation,
  lines: LineSource,
  options: ChatLinesOptions,
  stop: AbortSignal,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  for (let line = await lines.peek(); line.done !== true; line = await lines.peek()) {
    if (stop.aborted) return;
    lines.take();
    const { id, delivered } = await conversation.write(line.value, options.wallMs());
    options.onEvent({ event: "posted", peer: session.peer, session: session.id, id, to: session.peer });
    underWay.push(delivered);
    if (underWay.length >= MAX_UNDER_WAY) await underWay.shift();
  }
  await within(Promise.all(underWay), options, session.peer);
}

async function within(delivered: Promise<unknown>, { clock, waitMs }: ChatLinesOptions, peer: string): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const callOff = clock.after(waitMs, () => resolve("late"));
  try {
    if ((await Promise.race([delivered, late])) !== "late") return;
  } finally {
    callOff();
  }
  const hint = "give more time with --wait SECONDS, or try again when `p2p users` shows them online";
  throw new UserError("no-answer", `lines were not delivered to ${peer} within ${waitMs / 1_000} s`, {
    side: "remote",
    hint,
  });
}

/** Rejects when the session ends before the other end has said that it leaves. */
async function broken(session: PeerSession, left: Promise<unknown>): Promise<void> {
  const end = await session.ended;
  await Promise.race([
    left,
    Promise.reject(new UserError(end.code, `the chat broke off: ${end.reason}`, { side: end.side })),
  ]);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
