import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import type { FlagName } from "../../../../../src/modes/cli/flags.ts";
import { Doorbell } from "../../../../../src/modes/peer/guided/doorbell.ts";
import { sitDown } from "../../../../../src/modes/peer/guided/guided.ts";
import { Roster } from "../../../../../src/modes/peer/guided/roster.ts";
import { OfferPlaces } from "../../../../../src/modes/peer/transfer/inbox.ts";
import { ReceivingFolder } from "../../../../../src/modes/peer/transfer/receiving-folder.ts";
import { systemClock } from "../../../../../src/modes/runtime/clock.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../../support/folder.ts";
import { MeetingPlace, type PlaceNode } from "../../../../support/meeting-place.ts";
import { peerContext, testPaths } from "../../../../support/peer-context.ts";
import { VirtualTerminal } from "../../../../support/virtual-terminal.ts";

interface Seat {
  readonly node: PlaceNode;
  readonly terminal: VirtualTerminal;
  readonly done: Promise<void>;
  /** Where files of others land. */
  readonly downloads: string;
  readonly end: (reason: UserError) => void;
}

/** Sits somebody down at the menu. */
async function sit(
  place: MeetingPlace,
  folder: TemporaryFolder,
  name: string,
  flags: Readonly<Partial<Record<FlagName, string>>> = {},
  isServerHere = false,
): Promise<Seat> {
  const terminal = new VirtualTerminal(100, 40);
  const node = place.enter(name);
  const controller = new AbortController();
  const downloads = `${folder.path}/${name}`;
  mkdirSync(downloads);
  const done = sitDown({
    context: peerContext(terminal, folder.path, controller.signal, flags),
    node,
    joinLine: "p2p://192.0.2.1:7420/#key",
    isServerHere,
    folder: await ReceivingFolder.open(downloads),
    roster: new Roster(node),
    doorbell: new Doorbell(),
    places: new OfferPlaces(),
    paths: testPaths,
    clock: systemClock,
    random: (length) => new Uint8Array(randomBytes(length)),
    wallMs: () => 5,
    ownKey: new Uint8Array(32).fill(9),
    signal: controller.signal,
  });
  done.catch(() => undefined);
  await terminal.waitFor("Talk to somebody");
  return { node, terminal, done, downloads, end: (reason) => controller.abort(reason) };
}

async function choose({ terminal }: Seat, downs: number, next: string): Promise<void> {
  for (let at = 0; at < downs; at++) terminal.press("Down");
  terminal.press("Enter");
  await terminal.waitFor(next);
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

test("the first screen says who you are, where, and the line for friends", async () => {
  using folder = temporaryFolder();
  const ana = await sit(new MeetingPlace(folder.path), folder, "ana");
  expect(ana.terminal.screen.text).toContain("you are ana at 192.0.2.1:7420");
  expect(ana.terminal.screen.text).toContain("\n  p2p p2p://192.0.2.1:7420/#key\n");
  ana.terminal.press("Up", "Enter");
  await ana.done;
});

test("whoever runs the server here is told at Quit that it ends too", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const ana = await sit(place, folder, "ana", {}, true);
  ana.terminal.press("Up");
  await ana.terminal.waitFor("● Quit (the server here ends too)");
  ana.terminal.press("C-c");
  await ana.terminal.waitFor("once more, and p2p ends (the server here ends too)");
  ana.terminal.press("C-c");
  await ana.done;
  const ben = await sit(place, folder, "ben");
  ben.terminal.press("Up", "Enter");
  await ben.done;
  expect(ben.terminal.screen.text).not.toContain("the server here");
});

test("the menu shows who comes and goes while it stands", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const ana = await sit(place, folder, "ana");
  await ana.terminal.waitFor("Nobody else is online now");
  const ben = await sit(place, folder, "ben");
  await ana.terminal.waitFor("Online: ben");
  await ben.node[Symbol.asyncDispose]();
  await ana.terminal.waitFor("Nobody else is online now");
  ana.node.loseServer();
  await ana.terminal.waitFor("The server is away");
  expect(count(ana.terminal.screen.text, "Talk to somebody")).toBe(1);
});

test("backing out of the menu once is a warning, twice is the end", async () => {
  using folder = temporaryFolder();
  const ana = await sit(new MeetingPlace(folder.path), folder, "ana");
  ana.terminal.press("C-c");
  await ana.terminal.waitFor("once more, and p2p ends");
  await ana.terminal.until(() => count(ana.terminal.screen.text, "● Talk to somebody") === 1);
  ana.terminal.press("C-c");
  await ana.done;
  expect(ana.terminal.stdin.isRaw).toBe(false);
});

test.each([
  ["Talk to somebody", 0, "Whom do you want"],
  ["Send a file", 1, "Who gets the file"],
])("Esc in %s goes back to the menu", async (_name, downs, question) => {
  using folder = temporaryFolder();
  const ana = await sit(new MeetingPlace(folder.path), folder, "ana");
  await choose(ana, downs, question);
  ana.terminal.press("Enter");
  await ana.terminal.waitFor("What is their name?");
  ana.terminal.press("Escape");
  await ana.terminal.until(() => count(ana.terminal.screen.text, question) === 2);
  ana.terminal.press("Escape");
  await ana.terminal.until(() => count(ana.terminal.screen.text, "● Talk to somebody") === 1);
  ana.terminal.press("Up", "Enter");
  await ana.done;
});

test("a chat from menu to menu; who was accepted once is not asked about again", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const [ana, ben] = [await sit(place, folder, "ana"), await sit(place, folder, "ben")];
  await ana.terminal.waitFor("Online: ben");
  await choose(ana, 0, "● ben (online)");
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("ana, whom you have not met before, wants to chat. Accept?");
  ben.terminal.press("Enter");
  await ana.terminal.waitFor("chat with ben");
  ana.terminal.type("hello");
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("  ana: hello");
  ana.terminal.type("/quit");
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("ana has left");
  await ben.terminal.waitFor("● Talk to somebody");
  await ana.terminal.waitFor("● Talk to somebody");
  ben.terminal.press("Enter");
  await ben.terminal.waitFor("● ana (online)");
  ben.terminal.press("Enter");
  await ana.terminal.until(() => count(ana.terminal.screen.text, "chat with ben") === 2);
  expect(ana.terminal.screen.text).not.toContain("Accept?");
  ana.terminal.press("C-c");
  await ben.terminal.until(() => count(ben.terminal.screen.text, "ana has left") === 2);
});

test("a chat that is declined is told to the one who rang, and both are at the menu", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const [ana, ben] = [await sit(place, folder, "ana"), await sit(place, folder, "ben")];
  await ana.terminal.waitFor("Online: ben");
  await choose(ana, 0, "● ben (online)");
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("Accept?");
  ben.terminal.press("n");
  await ana.terminal.waitFor("ben said no");
  await ana.terminal.waitFor("● Talk to somebody");
  await ben.terminal.waitFor("● Talk to somebody");
  expect(ben.node.people.find("ana").trust).toBeNull();
});

test("Esc calls off a ring, and the question at the other end is gone", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const [ana, ben] = [await sit(place, folder, "ana"), await sit(place, folder, "ben")];
  await ana.terminal.waitFor("Online: ben");
  await choose(ana, 0, "● ben (online)");
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("Accept?");
  ana.terminal.press("Escape");
  await ben.terminal.waitFor("ana has given up");
  expect(ben.terminal.screen.text).not.toContain("Accept?");
  await ana.terminal.waitFor("● Talk to somebody");
});

test("a file from menu to menu: picked, asked about once, saved, confirmed", async () => {
  using folder = temporaryFolder();
  const source = `${folder.path}/a letter.txt`;
  writeFileSync(source, "dear ben");
  const place = new MeetingPlace(folder.path);
  const [ana, ben] = [await sit(place, folder, "ana"), await sit(place, folder, "ben")];
  await ana.terminal.waitFor("Online: ben");
  await choose(ana, 1, "● ben (online)");
  ana.terminal.press("Enter");
  await ana.terminal.waitFor("Which file?");
  ana.terminal.type(source.replaceAll(" ", "\\ "));
  ana.terminal.press("Enter");
  await ben.terminal.waitFor("ana offers 1 file, 8 bytes. Save in");
  expect(ben.terminal.screen.text).toContain("a letter.txt  8 bytes");
  ben.terminal.press("Enter");
  await ana.terminal.waitFor("confirmed");
  await ben.terminal.waitFor("saved");
  expect(readFileSync(`${ben.downloads}/a letter.txt`, "utf8")).toBe("dear ben");
  await ben.terminal.waitFor("● Talk to somebody");
  expect(count(ben.terminal.screen.text, "Save in")).toBe(1);
});

test("a ring interrupts the question for a path, and what was typed is there again", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const ana = await sit(place, folder, "ana");
  const ben = place.enter("ben");
  await ben.listen({ answers: [], people: [], rank: "attended", onIncoming() {} });
  await ana.terminal.waitFor("Online: ben");
  await choose(ana, 1, "● ben (online)");
  ana.terminal.press("Enter");
  await ana.terminal.waitFor("Which file?");
  ana.terminal.type("/tmp/half of a naxx");
  ana.terminal.press("BSpace", "BSpace");
  await ana.terminal.waitFor("/tmp/half of a na");
  const asking = ben.ask("ana", { purpose: "chat", waitMs: 1_000 });
  await ana.terminal.waitFor("ben, whom you have not met before, wants to chat. Accept?");
  ana.terminal.press("n");
  await expect(asking).rejects.toMatchObject({ code: "declined" });
  await ana.terminal.waitFor("/tmp/half of a na");
  ana.terminal.type("me");
  ana.terminal.press("Enter");
  await ana.terminal.waitFor("there is no /tmp/half");
});

test("files of somebody else are asked about in the chat that is open, and another chat waits until it is left", async () => {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/x.txt`, "x");
  const place = new MeetingPlace(folder.path);
  const [ana, ben, cara] = [
    await sit(place, folder, "ana"),
    await sit(place, folder, "ben"),
    await sit(place, folder, "cara"),
  ];
  await ana.node.people.trust("ben", "chat");
  await ben.node.people.trust("ana", "chat");
  await ben.terminal.waitFor("Online: ana, cara");
  await choose(ben, 0, "● ana (online)");
  ben.terminal.press("Enter");
  await ana.terminal.waitFor("chat with ben");
  await cara.terminal.waitFor("Online: ana, ben");
  await choose(cara, 1, "● ana (online)");
  cara.terminal.press("Enter");
  await cara.terminal.waitFor("Which file?");
  cara.terminal.type(`${folder.path}/x.txt`);
  cara.terminal.press("Enter");
  await ana.terminal.waitFor("? save 1 file, 1 byte of cara in");
  ana.terminal.press("Enter");
  await cara.terminal.waitFor("confirmed");
  expect(existsSync(`${ana.downloads}/x.txt`)).toBe(true);
  await cara.terminal.waitFor("● Talk to somebody");
  await choose(cara, 0, "● ana (online)");
  cara.terminal.press("Enter");
  await ana.terminal.waitFor("cara wants to chat; leave this chat to answer");
  ana.terminal.press("C-c");
  await ana.terminal.waitFor("cara, whom you have not met before, wants to chat. Accept?");
});

test("a key that is not theirs is a warning, at the menu", async () => {
  using folder = temporaryFolder();
  const ana = await sit(new MeetingPlace(folder.path), folder, "ana");
  ana.node.warnOf("ben");
  await ana.terminal.waitFor("ben tried to reach you with a key that is not known here");
  await ana.terminal.until(() => count(ana.terminal.screen.text, "● Talk to somebody") === 1);
  ana.terminal.press("Up", "Enter");
  await ana.done;
});

test("--no declines whoever rings, without a question", async () => {
  using folder = temporaryFolder();
  const place = new MeetingPlace(folder.path);
  const ana = await sit(place, folder, "ana", { no: "true" });
  const ben = place.enter("ben");
  const offer = { count: 1, bytes: 1, first: [{ name: "x", bytes: 1 }] };
  await expect(ben.ask("ana", { purpose: "chat", waitMs: 1 })).rejects.toMatchObject({ code: "declined" });
  await expect(ben.ask("ana", { purpose: "files", offer, waitMs: 1 })).rejects.toMatchObject({ code: "declined" });
  expect(ana.terminal.screen.text).not.toContain("?");
});

test("bad input 144: a signal ends whatever is open, with its reason, and restores the terminal", async () => {
  using folder = temporaryFolder();
  const ana = await sit(new MeetingPlace(folder.path), folder, "ana");
  await choose(ana, 1, "Who gets the file?");
  ana.end(new UserError("terminated", "terminated"));
  await expect(ana.done).rejects.toMatchObject({ code: "terminated" });
  expect(ana.terminal.stdin.isRaw).toBe(false);
  expect(ana.terminal.screen.isCursorShown).toBe(true);
});

test("a safety number is shown device by device, and marked after a yes", async () => {
  using folder = temporaryFolder();
  const ana = await sit(new MeetingPlace(folder.path), folder, "ana");
  const device = { id: new Uint8Array(16), key: new Uint8Array(32).fill(1), signKey: new Uint8Array(32).fill(2) };
  await ana.node.people.pin("ben", [device], null);
  await choose(ana, 2, "Whose number?");
  ana.terminal.press("Enter");
  await ana.terminal.waitFor("Is it the same on the screen of ben?");
  expect(ana.terminal.screen.text).toMatch(/(\d{5} ){2}\d{5}\n/);
  ana.terminal.press("y");
  await ana.terminal.waitFor("ben is verified");
  expect(ana.node.people.find("ben").devices[0]?.state).toBe("verified");
});
