import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Community } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";
import { hasTerminal, type Terminal } from "../support/terminal.ts";
import { answer, answerAgain, TerminalPerson, times } from "../support/terminal-person.ts";

test.skipIf(!hasTerminal)("two people from a join line to a chat and a file, and again at the next start", async () => {
  using folder = temporaryFolder();
  await using community = await Community.found();
  const [ana, ben] = [new TerminalPerson(folder, "ana"), new TerminalPerson(folder, "ben")];
  await using anas = await ana.at([community.joinLine]);
  await using bens = await ben.at([community.joinLine]);
  await ana.register(anas);
  await ben.register(bens);
  expect(await anas.history()).toContain(`you are ana at ${community.http}`);
  expect(await anas.history()).toContain(`p2p ${community.joinLine}`);
  await call(anas, "ben");
  await bens.waitFor("ana, whom you have not met before, wants to chat. Accept?");
  await bens.press("Enter");
  await say(anas, "hello ben, ça va? 漢字 👋");
  await bens.waitFor("ana: hello ben, ça va? 漢字 👋");
  await anas.waitFor("✓ ana: hello ben");
  const source = folder.at("x y.bin");
  writeFileSync(source, randomBytes(200_000));
  await say(bens, `/send '${source}'`);
  await anas.waitFor(/save 1 file, 200 kB of ben in .*\? \[Y\/n\]/);
  await anas.press("Enter");
  await anas.waitFor("saved");
  await bens.waitFor("confirmed");
  expect(readFileSync(`${ana.downloads}/x y.bin`).equals(readFileSync(source))).toBe(true);
  await say(anas, "/quit");
  await bens.waitFor("ana has left");
  await bens.waitFor("● Talk to somebody");
  await anas.waitFor("● Talk to somebody");
  await sendFromMenu(anas, "ben", source);
  await bens.waitFor("Save in");
  await bens.press("Enter");
  await anas.waitFor("confirmed");
  expect(readFileSync(`${ben.downloads}/x y.bin`).equals(readFileSync(source))).toBe(true);
  await quit(anas);
  await bens.waitFor("Nobody else is online now");
  await using again = await ana.at(["peer"]);
  await again.waitFor("● Talk to somebody");
  expect(await again.screen()).not.toContain("password");
  await bens.waitFor("Online: ana");
  // Whoever was accepted once needs no question.
  await call(bens, "ana");
  await again.waitFor("chat with ben");
  await say(bens, "you again");
  await again.waitFor("ben: you again");
  await bens.press("C-c");
  await again.waitFor("ben has left");
  await quit(bens);
});

test.skipIf(!hasTerminal)("without a join line a server is started here, and it ends with the program", async () => {
  using folder = temporaryFolder();
  const ana = new TerminalPerson(folder, "ana");
  const env = { P2P_LISTEN: "127.0.0.1:0", P2P_DATA: folder.at("server") };
  await using anas = await ana.at(["peer"], { env, columns: 160 });
  await anas.waitFor("Do you have its join line?");
  await anas.press("Down", "Enter");
  await ana.register(anas);
  const line = await anas.waitFor(/p2p:\/\/127\.0\.0\.1:\d+\/#[a-z2-7]{52}\.[a-z2-7]{26}/);
  const ben = new TerminalPerson(folder, "ben");
  await using bens = await ben.at([line]);
  await ben.register(bens);
  await anas.waitFor("Online: ben");
  await quit(anas);
  await bens.waitFor("The server is away");
  await bens.press("C-c");
  await bens.waitFor("once more, and p2p ends");
  await bens.press("C-c");
  expect(await bens.exited()).toBe(0);
});

test.skipIf(!hasTerminal)("every question can be backed out of, with Esc and with Ctrl-C", async () => {
  using folder = temporaryFolder();
  await using community = await Community.found();
  for (const key of ["Escape", "C-c"]) {
    const eve = new TerminalPerson(folder, `eve-${key.toLowerCase()}`);
    await using eves = await eve.at(["peer"]);
    await eves.waitFor("Do you have its join line?");
    await eves.press("Enter");
    await eves.waitFor("Paste the join line");
    await eves.press(key);
    await times(eves, "Do you have its join line?", 2);
    await eves.press("Enter");
    await answerAgain(eves, "Paste the join line", 2, community.joinLine);
    await answer(eves, "What do you want to be called?", eve.name);
    await eves.waitFor("Choose a password");
    await eves.press(key);
    await times(eves, "What do you want to be called?", 2);
    await eves.press("Enter");
    await answerAgain(eves, "Choose a password", 2, eve.password);
    await eves.waitFor("The same password again");
    await eves.press(key);
    await answerAgain(eves, "Choose a password", 3, eve.password);
    await answerAgain(eves, "The same password again", 2, eve.password);
    await eves.waitFor("● Talk to somebody");
    await backOutOfTheMenu(eves, key);
    expect(await eves.exited()).toBe(0);
  }
});

test.skipIf(!hasTerminal)("a name that is taken and a wrong password lead back to their questions", async () => {
  using folder = temporaryFolder();
  await using community = await Community.found();
  await community.register("ana");
  const other = new TerminalPerson(folder, "ana");
  await using terminal = await other.at([community.joinLine]);
  await answer(terminal, "What do you want to be called?", "ana");
  await answer(terminal, "Choose a password", "another horse battery");
  await answer(terminal, "The same password again", "another horse battery");
  await terminal.waitFor("Is it yours?");
  await terminal.press("Down", "Enter");
  await answer(terminal, "Your password", "not the right one");
  await terminal.waitFor("p2p: error:");
  await answerAgain(terminal, "Your password", 2, "correct horse ana");
  await terminal.waitFor("● Talk to somebody");
  await quit(terminal);
});

async function backOutOfTheMenu(terminal: Terminal, key: string): Promise<void> {
  await terminal.press("Enter");
  await terminal.waitFor("Whom do you want to talk to?");
  await terminal.press("Enter");
  await terminal.waitFor("What is their name?");
  await terminal.press(key);
  await times(terminal, "Whom do you want to talk to?", 2);
  await terminal.press(key);
  await times(terminal, "● Talk to somebody", 1);
  await terminal.press(key);
  await terminal.waitFor("once more, and p2p ends");
  await times(terminal, "● Talk to somebody", 1);
  await terminal.press(key);
}

/** Talks to somebody who is online, from the menu. */
async function call(terminal: Terminal, name: string): Promise<void> {
  await terminal.waitFor(`Online: ${name}`);
  await terminal.press("Enter");
  await terminal.waitFor(`● ${name} (online)`);
  await terminal.press("Enter");
}

async function sendFromMenu(terminal: Terminal, name: string, path: string): Promise<void> {
  await terminal.press("Down", "Enter");
  await terminal.waitFor(`● ${name} (online)`);
  await terminal.press("Enter");
  await answer(terminal, "Which file?", path);
}

async function say(terminal: Terminal, text: string): Promise<void> {
  await terminal.waitFor("chat with");
  await terminal.type(text);
  await terminal.press("Enter");
}

async function quit(terminal: Terminal): Promise<void> {
  await terminal.waitFor("● Talk to somebody");
  await terminal.press("Up", "Enter");
  expect(await terminal.exited()).toBe(0);
}
