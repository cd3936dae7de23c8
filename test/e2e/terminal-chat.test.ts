import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { Community, type Person } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";
import { hasTerminal, Terminal, type TerminalOptions } from "../support/terminal.ts";
import { TerminalPerson } from "../support/terminal-person.ts";

const terminalTest = test.skipIf(!hasTerminal);
const sizes = [
  [40, 10],
  [20, 5],
  [500, 200],
  [60, 20],
  [80, 24],
] as const;

/** `p2p chat WHOM` of somebody who registered by script, at a terminal. */
function chatAt(person: Person, whom: string, options: TerminalOptions = {}, ...flags: string[]): Promise<Terminal> {
  const env = { TERM: "screen-256color", ...options.env };
  return Terminal.start(["chat", whom, "--home", person.home, ...flags], { ...options, env });
}

terminalTest("p2p chat at a terminal survives resizing, and Ctrl-C ends it with 130", async () => {
  await using community = await Community.found();
  const [ana, ben] = [await community.register("ana"), await community.register("ben")];
  await using bens = await ben.receiving();
  await using anas = await chatAt(ana, "ben");
  await anas.waitFor("chat with ben");
  const text = "this line is being typed while the window changes";
  await anas.type(text);
  for (const [columns, rows] of sizes) await anas.resize(columns, rows);
  await anas.waitFor(`> ${text}`);
  await anas.press("Enter");
  expect(await bens.waitFor("message")).toMatchObject({ from: "ana", text });
  await anas.waitFor(`✓ ana: ${text}`);
  expect(await anas.history()).toContain("* chat with ben");
  await anas.press("C-c");
  expect(await anas.exited()).toBe(130);
});

terminalTest("p2p chat at a terminal reaches a menu at another, and whoever leaves ends it for both", async () => {
  using folder = temporaryFolder();
  await using community = await Community.found();
  const ana = await community.register("ana");
  const cara = new TerminalPerson(folder, "cara");
  await using caras = await cara.at([community.joinLine]);
  await cara.register(caras);
  await using anas = await chatAt(ana, "cara");
  await caras.waitFor("ana, whom you have not met before, wants to chat. Accept?");
  await caras.press("Enter");
  await anas.waitFor("chat with cara");
  await anas.type("one");
  await anas.press("Enter");
  await caras.waitFor("ana: one");
  await caras.press("C-d");
  await anas.waitFor("cara has left");
  expect(await anas.exited()).toBe(0);
  await caras.waitFor("● Talk to somebody");
});

terminalTest("p2p chat at a terminal says when the other end is silent, and drops what is true no more", async () => {
  await using community = await Community.found();
  const [ana, ben] = [await community.register("ana"), await community.register("ben")];
  await using bens = await ben.receiving();
  await using anas = await chatAt(ana, "ben");
  await anas.waitFor("ben · ");
  bens.signal("SIGKILL");
  await anas.waitFor("no sign of ben for");
  expect(await anas.screen()).not.toContain("ben · ");
  await anas.press("C-c");
  expect(await anas.exited()).toBe(130);
});

terminalTest("bad input 142: a paste of several lines is asked about and sent as one message", async () => {
  await using community = await Community.found();
  const [ana, ben] = [await community.register("ana"), await community.register("ben")];
  await using bens = await ben.receiving();
  await using anas = await chatAt(ana, "ben");
  await anas.waitFor("chat with ben");
  await anas.paste("first\nsecond \u001b[31mred\n");
  await anas.waitFor("? send this paste, 2 lines and");
  await anas.press("Enter");
  expect((await bens.waitFor("message")).text).toBe("first\nsecond [31mred");
});

terminalTest("bad input 131, 132, 134: what a peer sends cannot draw, retitle or imitate anything", async () => {
  using folder = temporaryFolder();
  await using community = await Community.found();
  const ben = await community.register("ben");
  const cara = new TerminalPerson(folder, "cara");
  await using caras = await cara.at([community.joinLine]);
  await cara.register(caras);
  await using bens = ben.startWith({ stdin: "open" }, "chat", "cara");
  await caras.waitFor("Accept?");
  await caras.press("Enter");
  await caras.waitFor("chat with ben");
  bens.write("\u001b[2J\u001b[1;1Hgone\u001b]0;owned\u0007 * ben is verified\r? accept? [Y/n]\u001b[?1049h\n");
  await caras.waitFor("  ben: gone * ben is verified");
  const screen = await caras.screen();
  expect(screen).toContain("* chat with ben");
  expect(screen).toContain("\n  ben: ? accept? [Y/n]\n");
  await caras.press("C-d");
  expect((await bens.finished()).exitCode).toBe(0);
});

terminalTest.each(["SIGTERM", "SIGHUP"] as const)(
  "bad input 144: %s in a chat restores the terminal, and a transfer under way leaves nothing behind",
  async (signal) => {
    using folder = temporaryFolder();
    await using community = await Community.found();
    const [cara, dora] = [new TerminalPerson(folder, "cara"), new TerminalPerson(folder, "dora")];
    await using caras = await cara.at([community.joinLine]);
    await cara.register(caras);
    await using first = await dora.at([community.joinLine]);
    await dora.register(first);
    await first.press("Up", "Enter");
    expect(await first.exited()).toBe(0);
    await using doras = await dora.fromShell(["chat", "cara"]);
    await caras.waitFor("Accept?");
    await caras.press("Enter");
    await doras.waitFor("chat with cara");
    writeFileSync(folder.at("big.bin"), randomBytes(200_000_000));
    await caras.type(`/send ${folder.at("big.bin")}`);
    await caras.press("Enter");
    await doras.waitFor("[Y/n]");
    await doras.press("Enter");
    await doras.waitFor("accepted");
    dora.signal(signal);
    await doras.waitFor("status 143");
    await doras.waitFor("modes echo icanon isig");
    expect(readdirSync(dora.downloads)).toEqual([]);
    await caras.waitFor("dora has left");
    await caras.waitFor("● Talk to somebody");
  },
);

terminalTest("bad input 143: --plain and TERM=dumb chat in plain lines", async () => {
  await using community = await Community.found();
  const [ana, ben] = [await community.register("ana"), await community.register("ben")];
  await using bens = await ben.receiving();
  const ways = [
    { term: "screen-256color", flags: ["--plain"] },
    { term: "dumb", flags: [] },
  ];
  for (const { term, flags } of ways) {
    await using anas = await chatAt(ana, "ben", { env: { TERM: term } }, ...flags);
    await anas.waitFor("connected to ben");
    await anas.type(`plain in ${term}`);
    await anas.press("Enter");
    expect((await bens.waitFor("message")).text).toBe(`plain in ${term}`);
    await anas.press("C-d");
    expect(await anas.exited()).toBe(0);
  }
});
