import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { systemRandom } from "../../src/modes/peer/own-device.ts";
import { trustOf } from "../../src/modes/peer/trust.ts";
import { Line } from "../support/line.ts";
import { type Neighbour, Street } from "../support/neighbours.ts";

// Ana's way to the server can be harmed. Ben listens.
let street: Street;
let line: Line;
let ana: Neighbour;
let ben: Neighbour;

beforeEach(async () => {
  street = await Street.open();
  line = await Line.to(street.stage.port);
  ana = await street.moveIn("ana", { port: line.port });
  ben = await street.moveIn("ben");
  await ben.listen();
});

afterEach(async () => {
  await street[Symbol.asyncDispose]();
  await line[Symbol.asyncDispose]();
});

const chat = { purpose: "chat", waitMs: 20_000 } as const;

/** What a promise was rejected with, listened for from the start. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** As another program of the same person does that meets somebody of this name with other keys. */
async function meetsAnother(who: Neighbour, name: string): Promise<void> {
  await who.people.pin(name, [{ id: systemRandom(16), key: systemRandom(32), signKey: systemRandom(32) }], null);
}

test("bad input 95: who rang as a stranger and has another's name by the time of the accept gets no session", async () => {
  const asked = failureOf(ana.node.ask("ben", chat));
  const incoming = await ben.rung();
  expect(incoming.trust).toBe("none");
  await meetsAnother(ben, "ana");
  expect(await failureOf(incoming.accept())).toMatchObject({ code: "peer-key-changed" });
  expect(await asked).toMatchObject({ code: "peer-gone" });
  expect(trustOf(ben.people.find("ana"))).toBe("changed");
});

test("bad input 95: who answers as a stranger and has another's name by then gets no session", async () => {
  const asked = failureOf(ana.node.ask("ben", chat));
  const incoming = await ben.rung();
  await meetsAnother(ana, "ben");
  expect(await failureOf(incoming.accept())).toMatchObject({ code: "peer-gone" });
  expect(await asked).toMatchObject({ code: "peer-key-changed" });
});

test("a file of people that is damaged while the program runs costs the ring, not the program", async () => {
  writeFileSync(ben.peopleFile, "{", { mode: 0o600 });
  expect(await failureOf(ana.node.ask("ben", chat))).toMatchObject({ code: "no-answer" });
  expect(ben.faults).toMatchObject([{ code: "unverified" }]);
  const asked = ana.node.ask("ben", chat);
  await (await ben.rung()).accept();
  await asked;
});

test("a ring ends with the line to the server, for who asks and for who is asked", async () => {
  await ana.listen();
  const asked = failureOf(ana.node.ask("ben", chat));
  const called = failureOf(ben.node.ask("ana", { ...chat, purpose: "files" }));
  const [atBen, atAna] = [await ben.rung(), await ana.rung()];
  line.cut();
  expect(await asked).toMatchObject({ code: "server-unreachable" });
  expect(await called).toMatchObject({ code: "offline" });
  expect(await atAna.withdrawn).toBe("cancelled");
  expect(await failureOf(atAna.accept())).toMatchObject({ code: "peer-gone" });
  expect(await atBen.withdrawn).toBe("cancelled");
});

test("bad input 89: a ring is accepted once", async () => {
  const asked = ana.node.ask("ben", chat);
  const incoming = await ben.rung();
  const accepted = incoming.accept();
  expect(await failureOf(incoming.accept())).toMatchObject({ code: "peer-gone" });
  const [a, b] = [await asked, await accepted];
  expect(a.id).toBe(b.id);
});
