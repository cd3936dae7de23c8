import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { chatScreen } from "../../../../../src/modes/peer/chat/chat-screen.ts";
import { Conversation, type ConversationEvents } from "../../../../../src/modes/peer/chat/conversation.ts";
import type { FilePolicy } from "../../../../../src/modes/peer/chat/room-files.ts";
import type { ChatOutcome } from "../../../../../src/modes/peer/chat/room.ts";
import { OfferPlaces } from "../../../../../src/modes/peer/transfer/inbox.ts";
import { ReceivingFolder } from "../../../../../src/modes/peer/transfer/receiving-folder.ts";
import { Transfers } from "../../../../../src/modes/peer/transfer/transfers.ts";
import type { PeerSession } from "../../../../../src/modes/peer/peer-session.ts";
import { chat, type ChatMessage } from "../../../../../src/wire/messages/chat.ts";
import { systemClock } from "../../../../../src/modes/runtime/clock.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../../support/folder.ts";
import { type SessionPair, sessionPair } from "../../../../support/session-pair.ts";
import { VirtualTerminal } from "../../../../support/virtual-terminal.ts";

interface Seat {
  readonly terminal: VirtualTerminal;
  readonly outcome: Promise<ChatOutcome>;
  readonly verified: string[];
}

interface SeatOptions {
  readonly files?: string;
  readonly consent?: FilePolicy["consent"];
  readonly columns?: number;
  readonly rows?: number;
  readonly signal?: AbortSignal;
}

/** Puts somebody with a terminal at one end of the pair. */
async function sit(pair: SessionPair, me: "ana" | "ben", options: SeatOptions = {}): Promise<Seat> {
  const seat = await open(pair, me, options);
  await seat.terminal.waitFor("chat with");
  return seat;
}

async function open(pair: SessionPair, me: "ana" | "ben", options: SeatOptions): Promise<Seat> {
  const terminal = new VirtualTerminal(options.columns ?? 80, options.rows ?? 24);
  const verified: string[] = [];
  const folder = await ReceivingFolder.open(options.files ?? "/tmp");
  const consent = options.consent ?? "ask";
  const outcome = chatScreen(me === "ana" ? pair.a : pair.b, {
    me,
    terminal,
    files: { folder, conflict: "number", maxBytes: null, places: new OfferPlaces(), consent },
    paths: { userFolder: null, isWindows: false, exists: existsSync },
    random: (length) => new Uint8Array(randomBytes(length)),
    clock: systemClock,
    wallMs: () => 5,
    markVerified: async () => verified.push(me),
    signal: options.signal ?? new AbortController().signal,
  });
  return { terminal, outcome, verified };
}

function enter({ terminal }: Seat, text: string): void {
  terminal.type(text);
  terminal.press("Enter");
}

const deaf: ConversationEvents = { onLine() {}, onDelivered() {}, onRead() {}, onTyping() {}, onLeft() {} };

/** A pair whose other end listens and says nothing. */
function withBen(): SessionPair {
  const pair = sessionPair();
  void new Conversation(pair.b, deaf);
  return pair;
}

test("two people talk: lines are marked once they arrived, and what is being typed stays at the bottom", async () => {
  const pair = sessionPair();
  const [ana, ben] = [await sit(pair, "ana"), await sit(pair, "ben")];
  ben.terminal.type("half a thou");
  enter(ana, "hello ben");
  await ben.terminal.waitFor("  ana: hello ben");
  await ana.terminal.waitFor("✓ ana: hello ben");
  expect(ben.terminal.screen.cursorLine).toBe("> half a thou");
  expect(ben.terminal.screen.cursorColumn).toBe(13);
  expect(ben.terminal.screen.rowsBelow).toBe(0);
  enter(ben, "ght");
  await ana.terminal.waitFor("  ben: half a thought");
  enter(ana, "/quit");
  expect(await ana.outcome).toEqual({ how: "quit", end: null });
  expect(await ben.outcome).toEqual({ how: "left", end: null });
  expect(ben.terminal.screen.text).toContain("* ana has left");
});

test("whoever leaves first does not read that the other one has left", async () => {
  const pair = sessionPair();
  const ana = await sit(pair, "ana");
  enter(ana, "bye");
  enter(ana, "/quit");
  // Ana's end waits for the report of her last line, and hears that ben goes before it.
  pair.b.chat.onMessage((bytes) => {
    const message = chat.decode(bytes);
    if (message.kind !== "text") return;
    void pair.b.chat.send(chat.encode({ kind: "leaving" }));
    void pair.b.chat.send(chat.encode({ kind: "delivered", id: message.id }));
  });
  expect((await ana.outcome).how).toBe("quit");
  expect(ana.terminal.screen.text).not.toContain("has left");
});

test.each([
  ["Ctrl-C", "C-c", "interrupted"],
  ["Ctrl-D", "C-d", "quit"],
] as const)("%s leaves, and the terminal is as it was", async (_name, key, how) => {
  const pair = withBen();
  const ana = await sit(pair, "ana");
  await ana.terminal.until(() => ana.terminal.screen.isPasteMarked);
  expect(ana.terminal.stdin.isRaw).toBe(true);
  ana.terminal.press(key);
  expect((await ana.outcome).how).toBe(how);
  expect(ana.terminal.stdin.isRaw).toBe(false);
  expect(ana.terminal.screen.isPasteMarked).toBe(false);
  expect(ana.terminal.screen.cursorLine).toBe("");
  expect(ana.terminal.stdin.listenerCount("data")).toBe(0);
});

test("bad input 144: a signal ends the chat, restores the terminal, and what was typed is not lost", async () => {
  const controller = new AbortController();
  const ana = await sit(withBen(), "ana", { signal: controller.signal });
  ana.terminal.type("unfinished");
  await ana.terminal.waitFor("> unfinished");
  controller.abort();
  expect((await ana.outcome).how).toBe("interrupted");
  expect(ana.terminal.screen.text).toEndWith("* not sent: unfinished");
  expect(ana.terminal.stdin.isRaw).toBe(false);
});

test("Esc asks before it leaves, and Esc again stays", async () => {
  const ana = await sit(withBen(), "ana");
  ana.terminal.press("Escape");
  await ana.terminal.waitFor("? leave the chat? [Y/n]");
  ana.terminal.press("Escape");
  await ana.terminal.until(() => !ana.terminal.screen.text.includes("leave the chat"));
  ana.terminal.press("Escape");
  await ana.terminal.waitFor("? leave the chat? [Y/n]");
  ana.terminal.press("Enter");
  expect((await ana.outcome).how).toBe("quit");
});

test("a session that breaks off ends the chat, and marks the lines that did not arrive", async () => {
  const pair = sessionPair();
  const ana = await sit(pair, "ana");
  enter(ana, "nobody hears this");
  await ana.terminal.waitFor("· ana: nobody hears this");
  pair.cut();
  expect(await ana.outcome).toMatchObject({ how: "ended", end: { code: "peer-gone" } });
  expect(ana.terminal.screen.text).toContain("✗ ana: nobody hears this");
});

/** As a session does, hands over what came early as soon as there is somebody to take it. */
function withEarly(session: PeerSession, messages: readonly ChatMessage[]): PeerSession {
  const chatPort: PeerSession["chat"] = {
    send: (message) => session.chat.send(message),
    flushed: () => session.chat.flushed(),
    onMessage: (handler) => {
      for (const message of messages) handler(chat.encode(message));
      session.chat.onMessage(handler);
    },
  };
  return new Proxy(session, {
    get: (target, name) => {
      const value: unknown = name === "chat" ? chatPort : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("a line and a last word that came before the screen stood are shown, and the chat is over", async () => {
  const pair = withBen();
  const text = new TextEncoder().encode("just so you know");
  const early = [{ kind: "text", id: new Uint8Array(16), text, sentAtMs: 0 }, { kind: "leaving" }] as const;
  const ana = await sit({ ...pair, a: withEarly(pair.a, early) }, "ana");
  expect(await ana.outcome).toEqual({ how: "left", end: null });
  expect(ana.terminal.screen.text).toEndWith("  ben: just so you know\n* ben has left");
});

test("bad input 141: a command in a line of the other end is only text", async () => {
  const pair = sessionPair();
  const ana = await sit(pair, "ana");
  const ben = new Conversation(pair.b, deaf);
  for (const text of ["/quit", "/send /etc/passwd", "y"]) await ben.write(text, 0);
  await ana.terminal.waitFor("  ben: y");
  expect(ana.terminal.screen.text).toContain("  ben: /quit\n  ben: /send /etc/passwd\n  ben: y");
  ana.terminal.press("C-c");
  await ana.outcome;
});

test("commands are answered here, an unknown one too, and two slashes say one", async () => {
  const pair = sessionPair();
  const [ana, ben] = [await sit(pair, "ana"), await sit(pair, "ben")];
  enter(ana, "/help");
  await ana.terminal.waitFor("/send PATH");
  enter(ana, "/who");
  await ana.terminal.waitFor("there is no /who");
  enter(ana, "/path");
  await ana.terminal.waitFor("path to ben: over the server, 192.0.2.1:7420");
  enter(ana, "//etc is a folder");
  await ben.terminal.waitFor("  ana: /etc is a folder");
  expect(ben.terminal.screen.text).not.toContain("who");
  ana.terminal.press("C-c");
  await Promise.all([ana.outcome, ben.outcome]);
});

test("a change of the path is told, once, and stands in the status row", async () => {
  const pair = withBen();
  const ana = await sit(pair, "ana");
  pair.move({ kind: "direct", remote: "198.51.100.7:4000", rttMs: 12.3, why: "a direct check answered" });
  await ana.terminal.waitFor("ben · directly, 12.3 ms");
  pair.move({ kind: "direct", remote: "198.51.100.7:4000", rttMs: 20, why: "a direct check answered" });
  await ana.terminal.waitFor("ben · directly, 20.0 ms");
  expect(ana.terminal.screen.text.match(/path to ben/g)).toHaveLength(1);
  ana.terminal.press("C-c");
  await ana.outcome;
});

test("why the server carries a chat is told, once, and stands in the status row", async () => {
  const pair = withBen();
  const ana = await sit(pair, "ana");
  const relayed = {
    kind: "relay-ws",
    remote: "192.0.2.1:7420",
    rttMs: 1,
    why: "UDP is blocked on their side",
  } as const;
  pair.move(relayed);
  await ana.terminal.waitFor("ben · over the server, 1.00 ms · UDP is blocked on their side");
  pair.move({ ...relayed, rttMs: 2 });
  await ana.terminal.waitFor("ben · over the server, 2.00 ms · UDP is blocked on their side");
  expect(ana.terminal.screen.text.match(/path to ben/g)).toHaveLength(1);
  ana.terminal.press("C-c");
  await ana.outcome;
});

test("who answers a question is not shown as typing, and who writes is", async () => {
  const pair = sessionPair();
  const hints: number[] = [];
  void new Conversation(pair.b, { ...deaf, onTyping: () => hints.push(hints.length) });
  const ana = await sit(pair, "ana");
  enter(ana, "/verify");
  await ana.terminal.waitFor("[y/N]");
  enter(ana, "n");
  await ana.terminal.until(() => !ana.terminal.screen.text.includes("[y/N]"));
  expect(hints).toEqual([]);
  ana.terminal.type("hello");
  await ana.terminal.waitFor("> hello");
  expect(hints).toEqual([0]);
  ana.terminal.press("C-c", "C-c");
  await ana.outcome;
});

test("somebody whose line broke and who does not answer is shown as silent", async () => {
  const pair = withBen();
  const ana = await sit(pair, "ana");
  pair.silence();
  await ana.terminal.waitFor("no sign of ben for");
  expect(ana.terminal.screen.text).not.toContain("ben · over the server");
  ana.terminal.press("C-c");
  await ana.outcome;
});

test("/verify shows the number of the session and marks it only after a yes", async () => {
  const pair = withBen();
  const ana = await sit(pair, "ana");
  enter(ana, "/verify");
  await ana.terminal.waitFor("is it the same on the screen of ben? [y/N]");
  expect(ana.terminal.screen.text).toContain("01234 56789 01234\n*     56789 01234 56789");
  ana.terminal.press("Enter");
  await ana.terminal.until(() => !ana.terminal.screen.text.includes("[y/N]"));
  expect(ana.verified).toEqual([]);
  enter(ana, "/verify");
  await ana.terminal.waitFor("[y/N]");
  enter(ana, "y");
  await ana.terminal.waitFor("* ben is verified");
  expect(ana.verified).toEqual(["ana"]);
  ana.terminal.press("C-c");
  await ana.outcome;
});

test("a file goes over: offered by /send, asked about between the lines, saved, confirmed", async () => {
  using folder = temporaryFolder();
  const source = `${folder.path}/holiday notes.txt`;
  writeFileSync(source, "sun");
  const pair = sessionPair();
  const [ana, ben] = [await sit(pair, "ana"), await sit(pair, "ben", { files: `${folder.path}/in` })];
  enter(ana, `/send '${source}'`);
  await ben.terminal.waitFor("[Y/n]");
  expect(ben.terminal.screen.text).toContain("holiday notes.txt  3 bytes");
  enter(ben, "what is it?");
  await ana.terminal.waitFor("  ben: what is it?");
  ben.terminal.press("Enter");
  await ben.terminal.waitFor("saved");
  await ana.terminal.waitFor("confirmed");
  expect(readFileSync(`${folder.path}/in/holiday notes.txt`, "utf8")).toBe("sun");
  ana.terminal.press("C-c");
  await Promise.all([ana.outcome, ben.outcome]);
});

test("a file is declined by n, and a missing one is told here alone", async () => {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/a.txt`, "a");
  const pair = sessionPair();
  const [ana, ben] = [await sit(pair, "ana"), await sit(pair, "ben", { files: `${folder.path}/in` })];
  enter(ana, `/send ${folder.path}/a.txt`);
  await ben.terminal.waitFor("[Y/n]");
  enter(ben, "n");
  await ana.terminal.waitFor("they declined");
  enter(ana, `/send ${folder.path}/none`);
  await ana.terminal.waitFor("no such file");
  expect(ben.terminal.screen.text).not.toContain("none");
  ana.terminal.press("C-c");
  await Promise.all([ana.outcome, ben.outcome]);
});

/** Ben has accepted a file that does not get through. */
async function withFileUnderWay(folder: TemporaryFolder) {
  writeFileSync(`${folder.path}/big.bin`, randomBytes(8 * 1_048_576));
  const pair = sessionPair({ streamWindowBytes: 1_024 });
  const [ana, ben] = [await sit(pair, "ana"), await sit(pair, "ben", { files: `${folder.path}/in` })];
  enter(ana, `/send ${folder.path}/big.bin`);
  await ben.terminal.waitFor("[Y/n]");
  ben.terminal.press("Enter");
  await ana.terminal.waitFor("* accepted");
  return { ana, ben };
}

test.each([
  ["Ctrl-C", (seat: Seat) => seat.terminal.press("C-c"), "interrupted"],
  ["/quit", (seat: Seat) => enter(seat, "/quit"), "quit"],
] as const)("%s asks while files move, and a second one means yes", async (_name, leave, how) => {
  using folder = temporaryFolder();
  const { ana, ben } = await withFileUnderWay(folder);
  leave(ana);
  await ana.terminal.waitFor("? files are under way; leave and cancel them? [y/N]");
  leave(ana);
  expect((await ana.outcome).how).toBe(how);
  expect((await ben.outcome).how).toBe("left");
});

test("whoever leaves and cancels reads of no defect, and the other end reads who it was", async () => {
  using folder = temporaryFolder();
  const { ana, ben } = await withFileUnderWay(folder);
  enter(ana, "/quit");
  await ana.terminal.waitFor("[y/N]");
  enter(ana, "y");
  await Promise.all([ana.outcome, ben.outcome]);
  expect(ana.terminal.screen.text).not.toMatch(/defect|the chat was left/);
  expect(ben.terminal.screen.text).toContain("they cancelled");
});

test("whoever leaves and cancels says so as the end of the session, too", async () => {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/big.bin`, randomBytes(8 * 1_048_576));
  const pair = sessionPair({ streamWindowBytes: 1_024 });
  void new Conversation(pair.b, deaf);
  const out = await ReceivingFolder.open(`${folder.path}/in`);
  const inbox = { folder: out, conflict: "number", maxBytes: null, places: new OfferPlaces(), onEnd() {} } as const;
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const decide = async () => "accept" as const;
  void new Transfers(pair.b, { inbox: { ...inbox, decide }, random, onEvent() {} });
  const ana = await sit(pair, "ana");
  enter(ana, `/send ${folder.path}/big.bin`);
  await ana.terminal.waitFor("* accepted");
  ana.terminal.press("C-c", "C-c");
  await ana.outcome;
  expect(await pair.b.ended).toMatchObject({ code: "peer-gone", reason: "the transfer was cancelled" });
});

test("bad input 142: a paste of several lines is sent as one message, after a question", async () => {
  const pair = sessionPair();
  const [ana, ben] = [await sit(pair, "ana"), await sit(pair, "ben")];
  ana.terminal.type("look: ");
  ana.terminal.type("\u001b[200~one\r\ntwo\u001b[31m\rthree\u001b[201~");
  await ana.terminal.waitFor("? send this paste, 3 lines and");
  ana.terminal.press("Escape");
  await ana.terminal.until(() => ana.terminal.screen.cursorLine === "> look:");
  ana.terminal.type("\u001b[200~one\r\ntwo\u001b[31m\rthree\u001b[201~");
  await ana.terminal.waitFor("? send this paste, 3 lines and");
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("  ana: look: one\n  ana: two[31m\n  ana: three");
  expect(ana.terminal.screen.cursorLine).toBe(">");
  ana.terminal.press("C-c");
  await Promise.all([ana.outcome, ben.outcome]);
});

test("bad input 138: a flood is shown at its pace, and the screen stays usable", async () => {
  const pair = sessionPair();
  const ana = await sit(pair, "ana");
  const ben = new Conversation(pair.b, deaf);
  for (let at = 0; at < 500; at++) await ben.write(`flood ${at}\u0007`, 0);
  await ana.terminal.waitFor("flood 20");
  ana.terminal.type("still here");
  await ana.terminal.until(() => ana.terminal.screen.cursorLine === "> still here");
  expect(ana.terminal.screen.text).not.toContain("flood 199");
  expect(ana.terminal.screen.bells).toBe(1);
  ana.terminal.press("C-c", "C-c");
  await ana.outcome;
  expect(ana.terminal.screen.text).toContain("300 more messages of ben came too fast");
});

test.each([
  [1, 1],
  [2, 2],
  [20, 5],
  [500, 200],
])("bad input 143: at %d×%d nothing is thrown and nothing is left over", async (columns, rows) => {
  const pair = sessionPair();
  const { terminal, outcome } = await open(pair, "ana", { columns, rows });
  const ben = new Conversation(pair.b, deaf);
  await ben.write("漢字 and a long line of words that has to be broken somewhere", 0);
  await terminal.until(() => terminal.screen.text.replaceAll(/\s/g, "").includes("somewhere"));
  expect(terminal.screen.unknown).toEqual([]);
  terminal.press("C-c");
  expect((await outcome).how).toBe("interrupted");
});

test("bad input 143: a hundred sizes in a row, and each frame stands alone", async () => {
  const pair = withBen();
  const ana = await sit(pair, "ana");
  ana.terminal.type("typed before");
  await ana.terminal.waitFor("> typed before");
  for (let at = 0; at < 100; at++) ana.terminal.resize(20 + ((at * 37) % 100), 5 + ((at * 13) % 40));
  ana.terminal.resize(60, 20);
  enter(ana, "!");
  await ana.terminal.waitFor("ana: typed before!");
  ana.terminal.press("C-c");
  await ana.outcome;
});
