import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import type { CliEvent } from "../../../../../src/modes/cli/events.ts";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import { chatLines } from "../../../../../src/modes/peer/chat/chat-lines.ts";
import { Conversation, type ConversationEvents } from "../../../../../src/modes/peer/chat/conversation.ts";
import { type Clock, systemClock } from "../../../../../src/modes/runtime/clock.ts";
import type { PeerSession } from "../../../../../src/modes/peer/peer-session.ts";
import { type SessionPair, sessionPair } from "../../../../support/session-pair.ts";

interface LinesOptions {
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly moved?: () => Promise<PeerSession>;
}

const staying = (): Promise<PeerSession> => new Promise(() => undefined);

function talk(pair: SessionPair, options: LinesOptions = {}) {
  const { clock = systemClock, signal = new AbortController().signal, moved = staying } = options;
  const stdin = new PassThrough();
  const events: CliEvent[] = [];
  const heard: string[] = [];
  const deaf = { onDelivered() {}, onRead() {}, onTyping() {} };
  const ben: ConversationEvents = {
    ...deaf,
    onLine: ({ text }) => heard.push(text),
    onLeft: () => heard.push("(left)"),
  };
  const conversation = new Conversation(pair.b, ben);
  const done = chatLines(pair.a, {
    stdin,
    inbox: null,
    random: (length) => new Uint8Array(randomBytes(length)),
    clock,
    wallMs: () => 7,
    waitMs: 1_000,
    signal,
    onEvent: (event) => events.push(event),
    moved,
  });
  done.catch(() => undefined);
  return { stdin, events, heard, conversation, done };
}

function names(events: readonly CliEvent[]): string[] {
  return events.map(({ event }) => event);
}

test("each line of stdin is a message, blank ones are none, and when all are delivered it is over", async () => {
  const { stdin, events, heard, done } = talk(sessionPair());
  stdin.write("one\r\ntw");
  stdin.end("o\n\n \t\r\n last without an end");
  await done;
  expect(heard).toEqual(["one", "two", " last without an end", "(left)"]);
  expect(names(events).filter((name) => name === "posted")).toHaveLength(3);
  expect(names(events).filter((name) => name === "delivered")).toHaveLength(3);
});

test("a line of the other end is an event with its text as it came", async () => {
  const { stdin, events, conversation, done } = talk(sessionPair());
  await (
    await conversation.write("hi \u001b[31m", 9)
  ).delivered;
  stdin.end();
  await done;
  expect(events).toContainEqual(
    expect.objectContaining({ event: "message", from: "ben", text: "hi \u001b[31m", sentAtMs: 9 }),
  );
});

test("it is over when the other end leaves, though stdin goes on", async () => {
  const { conversation, done } = talk(sessionPair());
  await conversation.leave();
  await done;
});

test("lines that nobody reports as delivered are exit 5 after the wait", async () => {
  const pair = sessionPair();
  pair.b.chat.onMessage(() => undefined);
  const stdin = new PassThrough();
  const clock: Clock = { ...systemClock, after: (_delayMs, run) => systemClock.soon(() => setImmediate(run)) };
  const done = chatLines(pair.a, {
    stdin,
    inbox: null,
    random: (length) => new Uint8Array(randomBytes(length)),
    clock,
    wallMs: () => 7,
    waitMs: 60_000,
    signal: new AbortController().signal,
    onEvent() {},
    moved: staying,
  });
  stdin.end("never heard\n");
  await expect(done).rejects.toMatchObject({ code: "no-answer" });
});

test("the chat goes on where the other rings from, with the lines that follow", async () => {
  const [first, second] = [sessionPair(), sessionPair()];
  const move = Promise.withResolvers<PeerSession>();
  let moves = 0;
  const { stdin, heard, done } = talk(first, { moved: () => (moves++ === 0 ? move.promise : staying()) });
  stdin.write("here\n");
  while (heard.length === 0) await Bun.sleep(0);
  const there: string[] = [];
  const deaf = { onDelivered() {}, onRead() {}, onTyping() {}, onLeft() {} };
  const elsewhere = new Conversation(second.b, { ...deaf, onLine: ({ text }) => there.push(text) });
  move.resolve(second.a);
  await first.a.ended;
  stdin.end("there\n");
  await done;
  expect([heard[0], there, elsewhere.undelivered]).toEqual(["here", ["there"], 0]);
});

test("a session that breaks off rejects with its end", async () => {
  const pair = sessionPair();
  const { done } = talk(pair);
  pair.cut();
  await expect(done).rejects.toMatchObject({ code: "peer-gone" });
});

test("a signal ends it with its reason", async () => {
  const controller = new AbortController();
  const { done } = talk(sessionPair(), { signal: controller.signal });
  controller.abort(new UserError("interrupted", "interrupted"));
  await expect(done).rejects.toMatchObject({ code: "interrupted" });
});

test("bad input 138: a line of 8 KiB goes, one byte more is refused, and a megabyte without an end is not kept", async () => {
  const { stdin, heard, done } = talk(sessionPair());
  stdin.write(`${"x".repeat(8_192)}\n`);
  stdin.write("y".repeat(8_194));
  await expect(done).rejects.toMatchObject({ code: "too-large" });
  expect(heard[0]).toHaveLength(8_192);
  expect(stdin.destroyed).toBe(true);
});

test("a thousand lines at once arrive in order", async () => {
  const { stdin, heard, done } = talk(sessionPair());
  stdin.end(Array.from({ length: 1_000 }, (_, at) => `line ${at}\n`).join(""));
  await done;
  expect(heard).toEqual([...Array.from({ length: 1_000 }, (_, at) => `line ${at}`), "(left)"]);
});
