import { expect, test } from "bun:test";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import { formatJoinLine, type JoinLine } from "../../../../../src/modes/cli/join-line.ts";
import type { Account } from "../../../../../src/modes/peer/account.ts";
import { enterAgain, type Entered, enterFirst, type Gates } from "../../../../../src/modes/peer/guided/entrance.ts";
import type { Enrolment } from "../../../../../src/modes/peer/open-node.ts";
import type { ErrorCode } from "../../../../../src/wire/errors.ts";
import { MeetingPlace } from "../../../../support/meeting-place.ts";
import { peerContext } from "../../../../support/peer-context.ts";
import { VirtualTerminal } from "../../../../support/virtual-terminal.ts";

const server = { secure: false, nodes: [{ host: "192.0.2.1", port: 7_420 }], key: new Uint8Array(32).fill(1) };
const invited: JoinLine = { ...server, invite: new Uint8Array(16).fill(2) };
const plain: JoinLine = { ...server, invite: null };
const account: Account = {
  name: "ana",
  userId: new Uint8Array(16),
  deviceId: new Uint8Array(16),
  label: "laptop",
  server: { ...server, invite: null },
};

class Way {
  readonly terminal = new VirtualTerminal(100, 40);
  readonly enrolments: Enrolment[] = [];
  readonly context = peerContext(this.terminal, "/nonexistent", new AbortController().signal);
  /** What the server says to the next tries; then yes. */
  readonly refusals: ErrorCode[];
  signIns = 0;
  servers = 0;
  readonly gates: Gates = {
    signIn: async () => {
      this.signIns += 1;
      return this.#answer();
    },
    enrol: async (enrolment) => {
      this.enrolments.push(enrolment);
      return this.#answer();
    },
    startServer: async () => {
      this.servers += 1;
      return { line: invited, [Symbol.asyncDispose]: async () => undefined };
    },
  };

  constructor(...refusals: readonly ErrorCode[]) {
    this.refusals = [...refusals];
  }

  /** Types an answer where a question asks for one. */
  async answer(question: string, text: string): Promise<void> {
    await this.terminal.waitFor(question);
    this.terminal.type(text);
    this.terminal.press("Enter");
  }

  /** Chooses the option so many below the first. */
  async choose(question: string, downs: number): Promise<void> {
    await this.terminal.waitFor(question);
    for (let at = 0; at < downs; at++) this.terminal.press("Down");
    this.terminal.press("Enter");
  }

  async answerPassword(password: string): Promise<void> {
    await this.answer("Choose a password", password);
    await this.answer("again", password);
  }

  #answer() {
    const code = this.refusals.shift();
    if (code !== undefined) throw new UserError(code, `refused: ${code}`, { hint: "do otherwise" });
    return new MeetingPlace("/nonexistent").enter("ana");
  }
}

async function joinLineOf(entering: Promise<Entered | null>): Promise<string | null> {
  return (await entering)?.joinLine ?? null;
}

test("from a join line three questions lead to the menu, and friends get the same line", async () => {
  const way = new Way();
  const entering = enterFirst(way.context, invited, way.gates);
  await way.answer("called", "Ana");
  await way.answerPassword("correct horse battery");
  expect(await joinLineOf(entering)).toBe(formatJoinLine(invited));
  expect(way.enrolments).toMatchObject([{ kind: "register", name: "ana", password: "correct horse battery" }]);
  expect(way.enrolments[0]?.server.invite).toEqual(invited.invite);
  expect(way.terminal.screen.text.match(/◇/g)).toHaveLength(3);
});

test("without a join line there are two ways: paste one, or start a server here", async () => {
  const way = new Way();
  const entering = enterFirst(way.context, null, way.gates);
  await way.choose("Do you have its join line?", 0);
  await way.answer("Paste the join line", formatJoinLine(invited));
  await way.answer("called", "ana");
  await way.answerPassword("correct horse battery");
  expect(await joinLineOf(entering)).toBe(formatJoinLine(invited));
  expect(way.servers).toBe(0);

  const other = new Way();
  const starting = enterFirst(other.context, null, other.gates);
  await other.choose("Do you have its join line?", 1);
  await other.answer("called", "ana");
  await other.answerPassword("correct horse battery");
  expect(await joinLineOf(starting)).toBe(formatJoinLine(invited));
  expect(other.servers).toBe(1);
});

test("a line without an invitation asks whether one is new, and an account needs its password once", async () => {
  const way = new Way();
  const entering = enterFirst(way.context, plain, way.gates);
  await way.choose("Are you new on this server?", 1);
  await way.answer("name of your account", "ana");
  await way.answer("Your password", "correct horse battery");
  expect(await entering).not.toBeNull();
  expect(way.enrolments).toMatchObject([{ kind: "login", name: "ana" }]);
});

test("a name that is taken leads back to the name, or to the password of that account", async () => {
  const way = new Way("name-taken", "name-taken", "wrong-password");
  const entering = enterFirst(way.context, invited, way.gates);
  await way.answer("called", "ana");
  await way.answerPassword("correct horse battery");
  await way.terminal.waitFor("Is it yours?");
  expect(way.terminal.screen.text).not.toContain("registering");
  await way.choose("Is it yours?", 0);
  await way.terminal.until(() => way.terminal.screen.text.split("called").length === 3);
  way.terminal.type("2");
  way.terminal.press("Enter");
  await way.terminal.until(() => way.terminal.screen.text.split("Choose a password").length === 3);
  way.terminal.type("correct horse battery");
  way.terminal.press("Enter");
  await way.terminal.until(() => way.terminal.screen.text.split("again").length === 3);
  way.terminal.type("correct horse battery");
  way.terminal.press("Enter");
  await way.terminal.until(() => way.terminal.screen.text.split("Is it yours?").length === 3);
  way.terminal.press("Down", "Enter");
  await way.answer("Your password", "not quite right");
  await way.terminal.waitFor("refused: wrong-password");
  await way.terminal.until(() => way.terminal.screen.text.split("Your password").length === 3);
  way.terminal.type("correct horse battery");
  way.terminal.press("Enter");
  expect(await entering).not.toBeNull();
  expect(way.enrolments.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "register ana",
    "register ana2",
    "login ana2",
    "login ana2",
  ]);
  expect(way.enrolments[3]?.server.invite).toBeNull();
});

test("a password the server calls weak leads back to the password", async () => {
  const way = new Way("weak-password");
  const entering = enterFirst(way.context, invited, way.gates);
  await way.answer("called", "ana");
  await way.answerPassword("password123");
  await way.terminal.waitFor("refused: weak-password");
  await way.terminal.until(() => way.terminal.screen.text.split("Choose a password").length === 3);
  way.terminal.type("correct horse battery");
  way.terminal.press("Enter");
  await way.terminal.until(() => way.terminal.screen.text.split("again").length === 3);
  way.terminal.type("correct horse battery");
  way.terminal.press("Enter");
  expect(await entering).not.toBeNull();
});

test("an invitation that is spent can be a line to set a new password", async () => {
  const way = new Way("bad-invite");
  const entering = enterFirst(way.context, invited, way.gates);
  await way.answer("called", "ana");
  await way.answerPassword("correct horse battery");
  await way.choose("How do you want to go on?", 1);
  await way.answer("name of your account", "");
  await way.terminal.until(() => way.terminal.screen.text.split("Choose a password").length === 3);
  way.terminal.type("another horse battery");
  way.terminal.press("Enter");
  await way.terminal.until(() => way.terminal.screen.text.split("again").length === 3);
  way.terminal.type("another horse battery");
  way.terminal.press("Enter");
  expect(await entering).not.toBeNull();
  expect(way.enrolments[1]).toMatchObject({ kind: "login", name: "ana", password: "another horse battery" });
  expect(way.enrolments[1]?.server.invite).toEqual(invited.invite);
});

test("a server that is away can be tried again without typing anything anew", async () => {
  const way = new Way("server-unreachable");
  const entering = enterFirst(way.context, invited, way.gates);
  await way.answer("called", "ana");
  await way.answerPassword("correct horse battery");
  await way.choose("Try again?", 0);
  expect(await entering).not.toBeNull();
  expect(way.enrolments).toHaveLength(2);
});

test("Esc goes back one question at a time, and out at the first one", async () => {
  const way = new Way();
  const entering = enterFirst(way.context, null, way.gates);
  await way.choose("Do you have its join line?", 0);
  await way.terminal.waitFor("Paste the join line");
  way.terminal.press("Escape");
  await way.terminal.until(() => way.terminal.screen.text.split("Do you have its join line?").length === 3);
  way.terminal.press("Down", "Enter");
  await way.answer("called", "ana");
  await way.terminal.waitFor("Choose a password");
  way.terminal.press("Escape");
  await way.terminal.until(() => way.terminal.screen.text.split("called").length === 3);
  way.terminal.press("Escape");
  await way.terminal.until(() => way.terminal.screen.text.split("Do you have its join line?").length === 4);
  way.terminal.press("Escape");
  expect(await entering).toBeNull();
  expect(way.enrolments).toEqual([]);
});

test("a later start goes straight in, without a question", async () => {
  const way = new Way();
  expect(await joinLineOf(enterAgain(way.context, account, way.gates))).toBe(formatJoinLine(account.server));
  expect(way.terminal.screen.text).toBe("");
});

test("a device that was signed out asks for the password of its account alone", async () => {
  const way = new Way("revoked");
  const entering = enterAgain(way.context, account, way.gates);
  await way.answer("Your password", "correct horse battery");
  expect(await entering).not.toBeNull();
  expect(way.enrolments).toMatchObject([{ kind: "login", name: "ana" }]);
});

test("a server that is away at a later start can be tried again, or be started here", async () => {
  const way = new Way("server-unreachable", "server-unreachable");
  const entering = enterAgain(way.context, account, way.gates);
  await way.choose("Try again?", 0);
  await way.terminal.until(() => way.terminal.screen.text.split("Try again?").length === 3);
  way.terminal.press("Down", "Enter");
  expect(await entering).not.toBeNull();
  expect([way.signIns, way.servers]).toEqual([3, 1]);
});
