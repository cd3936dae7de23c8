import { expect, test } from "bun:test";
import {
  Conversation,
  newId,
  type ConversationEvents,
  type Line,
} from "../../../../../src/modes/peer/chat/conversation.ts";
import { chat } from "../../../../../src/wire/messages/chat.ts";
import { sessionPair } from "../../../../support/session-pair.ts";

/** Records what the other end does and lets a test wait for the n-th thing. */
function recorder() {
  const heard: string[] = [];
  const waiting = new Map<number, () => void>();
  const note = (what: string) => {
    heard.push(what);
    waiting.get(heard.length)?.();
  };
  const events: ConversationEvents = {
    onLine: (line: Line) => note(`line ${line.text}`),
    onDelivered: (id) => note(`delivered ${id.slice(0, 4)}`),
    onRead: (id) => note(`read ${id.slice(0, 4)}`),
    onTyping: () => note("typing"),
    onLeft: () => note("left"),
  };
  const count = (things: number) =>
    heard.length >= things ? Promise.resolve() : new Promise<void>((done) => waiting.set(things, done));
  return { heard, events, count };
}

function talk() {
  const pair = sessionPair();
  const [ana, ben] = [recorder(), recorder()];
  return { pair, ana, ben, toBen: new Conversation(pair.a, ana.events), toAna: new Conversation(pair.b, ben.events) };
}

test("lines arrive in order and each is reported as delivered", async () => {
  const { ben, toBen } = talk();
  const written = [];
  for (const text of ["one", "two", "drei äöü"]) written.push(await toBen.write(text, 5));
  await Promise.all(written.map(({ delivered }) => delivered));
  expect(ben.heard).toEqual(["line one", "line two", "line drei äöü"]);
  expect(toBen.undelivered).toBe(0);
});

test("bad input 145: a line that comes twice is shown once and reported twice; a report of an unknown line is ignored", async () => {
  const { pair, ana, ben, toBen } = talk();
  const id = newId();
  await (
    await toBen.write("once", 5, id)
  ).delivered;
  await (
    await toBen.write("once", 5, id)
  ).delivered;
  expect(ben.heard).toEqual(["line once"]);
  await pair.b.chat.send(chat.encode({ kind: "read", id: new Uint8Array(16) }));
  await ana.count(3);
  expect(ana.heard.slice(2)).toEqual([expect.stringContaining("read")]);
});

test("bad input 138: a message of 8 KiB travels, one byte more is refused before it leaves", async () => {
  const { ben, toBen } = talk();
  await (
    await toBen.write("x".repeat(8_192), 5)
  ).delivered;
  expect(ben.heard[0]?.length).toBe("line ".length + 8_192);
  await expect(toBen.write("x".repeat(8_193), 5)).rejects.toMatchObject({ code: "too-large" });
});

test("bad input 139: broken UTF-8 costs a replacement character, not the session", async () => {
  const { pair, ben } = talk();
  const text = Uint8Array.of(0x61, 0xff, 0xc0, 0xaf, 0x62);
  await pair.a.chat.send(chat.encode({ kind: "text", id: new Uint8Array(16), text, sentAtMs: 0 }));
  await ben.count(1);
  expect(ben.heard).toEqual(["line a\ufffd\ufffd\ufffdb"]);
});

test("a line that was not delivered when the session ended is rejected with the end's code", async () => {
  const { pair, toBen } = talk();
  const { delivered } = await toBen.write("late", 5);
  pair.cut();
  await expect(delivered).rejects.toMatchObject({ code: "peer-gone" });
  await expect(toBen.write("later", 5)).rejects.toMatchObject({ code: "peer-gone" });
});

test("typing is a hint, leaving is told once everything has arrived", async () => {
  const { ben, toBen } = talk();
  toBen.showTyping();
  await toBen.write("bye", 5);
  await toBen.leave();
  await ben.count(3);
  expect(ben.heard.toSorted()).toEqual(["left", "line bye", "typing"]);
});
