import { expect, test } from "bun:test";
import { askName, askJoinLine } from "../../../../../src/modes/peer/prompts/join.ts";
import { askChat, askFiles, askOffer } from "../../../../../src/modes/peer/prompts/requests.ts";
import { askNewPassword, askPassword, askTrust } from "../../../../../src/modes/peer/prompts/secrets.ts";
import { VirtualTerminal } from "../../../../support/virtual-terminal.ts";

const never = new AbortController().signal;
const join = `p2p://192.0.2.1:7420/#${"a".repeat(51)}q.${"a".repeat(26)}`;

test("askName() shows what is wrong with a name until it is one", async () => {
  const terminal = new VirtualTerminal();
  const answer = askName(terminal, never, "register", "");
  await terminal.waitFor("called");
  terminal.type("a");
  terminal.press("Enter");
  await terminal.waitFor("too short");
  terminal.type("na");
  terminal.press("Enter");
  expect(await answer).toBe("ana");
  expect(terminal.stdin.isRaw).toBe(false);
  expect(terminal.screen.isCursorShown).toBe(true);
});

test("askJoinLine() takes what was copied with the marks around it", async () => {
  const terminal = new VirtualTerminal(200);
  const answer = askJoinLine(terminal, never);
  await terminal.waitFor("join line");
  terminal.type(` <${join}>`);
  terminal.press("Enter");
  expect(await answer).toMatchObject({ secure: false, nodes: [{ host: "192.0.2.1", port: 7_420 }] });
});

test.each(["Escape", "C-c"])("%s backs out of a question and ends nothing", async (key) => {
  const terminal = new VirtualTerminal();
  const answer = askPassword(terminal, never);
  await terminal.waitFor("password");
  terminal.press(key);
  expect(await answer).toBeNull();
  expect(terminal.stdin.isRaw).toBe(false);
});

test("askNewPassword() never shows a password, wants it twice, and refuses one of nine characters", async () => {
  const terminal = new VirtualTerminal();
  const answer = askNewPassword(terminal, never);
  await terminal.waitFor("Choose");
  terminal.type("123456789");
  terminal.press("Enter");
  await terminal.waitFor("fewer than 10");
  terminal.type("0");
  terminal.press("Enter");
  await terminal.waitFor("again");
  terminal.type("something else");
  terminal.press("Enter");
  await terminal.waitFor("differ");
  terminal.press("\u0015");
  terminal.type("1234567890");
  terminal.press("Enter");
  expect(await answer).toBe("1234567890");
  expect(terminal.screen.text).not.toMatch(/123|some/);
});

test("askTrust() takes no for an answer unless somebody says yes", async () => {
  const terminal = new VirtualTerminal();
  const answer = askTrust(terminal, never, "k".repeat(52));
  await terminal.waitFor("told you");
  expect(terminal.screen.text).toContain("k".repeat(52));
  terminal.press("Enter");
  expect(await answer).toBe(false);
});

const rung = { from: "ben", trust: "none", greeting: "hi\u001b[2J\n* accept? [Y/n]", offer: null } as const;

test("bad input 134: a greeting stands above the question, on one line behind the name", async () => {
  const terminal = new VirtualTerminal();
  const answer = askChat(terminal, never, rung, "/tmp");
  await terminal.waitFor("ben, whom you have not met before, wants to chat. Accept?");
  expect(terminal.screen.text).toContain("ben: hi * accept? [Y/n]");
  expect(terminal.screen.unknown).toEqual([]);
  terminal.press("Enter");
  expect(await answer).toBe(true);
});

test("bad input 97: a greeting without end, full of what a terminal obeys, is one line of this terminal", async () => {
  const terminal = new VirtualTerminal();
  const greeting = `\u001b]0;x\u0007${"long \u001b[2J\u202e".repeat(80)}`;
  const answer = askChat(terminal, never, { ...rung, greeting }, "/tmp");
  await terminal.waitFor("wants to chat. Accept?");
  const lines = terminal.screen.text.split("\n").filter((line) => line.includes("long"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("ben: long long");
  expect(terminal.screen.unknown).toEqual([]);
  terminal.press("n");
  expect(await answer).toBe(false);
});

test("a request that takes the place of something else does not take its keys", async () => {
  const terminal = new VirtualTerminal();
  const answer = askChat(terminal, never, rung, "/tmp");
  await terminal.waitFor("ben, whom you have not met before, wants to chat …");
  terminal.press("Enter", "Escape", "C-c");
  await terminal.waitFor("Accept?");
  expect(terminal.screen.text).not.toContain("…");
  terminal.press("n");
  expect(await answer).toBe(false);
  expect(terminal.stdin.isRaw).toBe(false);
});

test("a request that is withdrawn while it is announced is no question", async () => {
  const terminal = new VirtualTerminal();
  const controller = new AbortController();
  const answer = askChat(terminal, controller.signal, rung, "/tmp");
  await terminal.waitFor("wants to chat …");
  controller.abort();
  expect(await answer).toBe(false);
  expect(terminal.screen.text).toBe("");
  expect(terminal.stdin.listenerCount("data")).toBe(0);
});

test("bad input 148: the names of an offer are cleaned and keep their ending in view", async () => {
  const terminal = new VirtualTerminal(60);
  const first = ["\u202egpj.exe\u001b]0;x\u0007", `${"long".repeat(60)}.tar.exe`].map((name) => ({ name, bytes: 5 }));
  const answer = askFiles(
    terminal,
    never,
    { ...rung, offer: { count: 12, bytes: 3_200_000, first } },
    "/home/ana/Downloads",
  );
  await terminal.waitFor("Save in");
  const shown = terminal.screen.text;
  expect(shown).toContain("gpj.exe");
  expect(shown).toMatch(/long\w*…\.exe/);
  expect(shown).toContain("and 10 more");
  expect(shown).toContain("ben offers 12 files, 3.20 MB");
  terminal.press("n");
  expect(await answer).toBe(false);
});

test("a question that is called off leaves no trace and answers no", async () => {
  const terminal = new VirtualTerminal();
  terminal.screen.write("before\n");
  const controller = new AbortController();
  const files = [{ name: "a.txt", bytes: 5 }];
  const answer = askOffer(terminal, controller.signal, { id: "0", from: "ben", count: 1, bytes: 5, files }, "/tmp");
  await terminal.waitFor("Save in");
  controller.abort();
  expect(await answer).toBe(false);
  expect(terminal.screen.text).toBe("before");
  expect(terminal.stdin.isRaw).toBe(false);
});
