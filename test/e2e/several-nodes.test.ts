import { afterEach, beforeEach, expect, test } from "bun:test";
import { Nodes, nodesMissing } from "../support/nodes.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";

const nodesTest = test.skipIf(nodesMissing !== null);

let nodes: Nodes;
let ana: Person;
let ben: Person;

beforeEach(async () => {
  if (nodesMissing !== null) return;
  nodes = await Nodes.open();
  [ana, ben] = [await nodes.register("ana", 0), await nodes.register("ben", 1)];
});
afterEach(async () => {
  if (nodesMissing === null) await nodes[Symbol.asyncDispose]();
});

nodesTest("people at two nodes see, ring and write to each other as at one", async () => {
  await using bens = ben.start("receive", "--yes", "--out", ben.inbox);
  await bens.waitFor("waiting");
  const users = await ana.run("users");
  expect(users.events).toMatchObject([{ name: "ben", online: true }]);
  const said = await ana.run("msg", "ben", "across");
  expect(said.exitCode).toBe(0);
  expect(await bens.waitFor("message")).toMatchObject({ from: "ana", text: "across" });
});

nodesTest("bad input 71: a device revoked at one node is signed out at the other at once", async () => {
  await using bens = await ben.receiving();
  const { exitCode } = await nodes.operator(0, "revoke", "ben");
  expect(exitCode).toBe(0);
  expect((await bens.finished()).exitCode).toBe(3);
});

nodesTest("a person blocked at one node rings in vain at the other", async () => {
  await using bens = await ben.receiving();
  expect((await ana.run("msg", "ben", "hello")).exitCode).toBe(0);
  await bens.waitFor("message");
  expect((await ben.run("contacts", "block", "ana")).exitCode).toBe(0);
  expect((await ana.run("msg", "ben", "again")).events.at(-1)).toMatchObject({ code: "offline", exit: 5 });
});

nodesTest("bad input 90: two who ring each other from two nodes at once get one session, and no question", async () => {
  for (let times = 0; times < 5; times++) {
    await using pair = await ringingEachOther();
    const [here, there] = pair.both;
    here.write("one session\n");
    expect(await there.waitFor("message")).toMatchObject({ text: "one session" });
    const [ours, theirs] = [here, there].map(sessionsOf);
    expect(ours).toHaveLength(1);
    expect(ours).toEqual(theirs ?? []);
  }
});

const sessionsOf = ({ events }: P2p) =>
  events.flatMap((event) => (event.event === "connected" ? (event.session ?? "") : []));

/** Both `chat` at the same moment; whoever was too early to find the other there tries again, and so does that one. */
async function ringingEachOther(): Promise<{ readonly both: readonly [P2p, P2p] } & AsyncDisposable> {
  for (;;) {
    const here = ana.startWith({ stdin: "open" }, "chat", "ben");
    const there = ben.startWith({ stdin: "open" }, "chat", "ana");
    const both = [here, there] as const;
    const dispose = async () => void (await Promise.all(both.map((chat) => chat[Symbol.asyncDispose]())));
    await Promise.allSettled(both.map((chat) => chat.waitFor("connected")));
    if (both.every((chat) => sessionsOf(chat).length > 0)) return { both, [Symbol.asyncDispose]: dispose };
    const codes = both.flatMap(({ events }) => events.flatMap((event) => (event.event === "error" ? event.code : [])));
    await dispose();
    expect([...new Set(codes)]).toEqual(["offline"]);
  }
}

nodesTest("bad input 98: of two devices at two nodes the first that accepts has the session", async () => {
  const phone = await nodes.anotherDevice("ben", "phone", 0);
  await using first = await ben.receiving();
  await using second = await phone.receiving();
  expect((await ana.run("msg", "ben", "to one of you")).exitCode).toBe(0);
  await Promise.race([first.waitFor("message"), second.waitFor("message")]);
  const told = [first, second].flatMap(({ events }) => events.filter(({ event }) => event === "message"));
  expect(told.length).toBe(1);
});

nodesTest(
  "the operator of one node sees the people of all, and what one may not do at one may not be done at another",
  async () => {
    await using bens = await ben.receiving();
    const { events } = await nodes.operator(0, "users");
    expect(events).toMatchObject([{ name: "ana" }, { name: "ben" }]);
    const taken = await nodes.register("ana", 1).catch((error: unknown) => String(error));
    expect(taken).toContain("ana");
    expect(bens.events.filter(({ event }) => event === "error")).toEqual([]);
  },
);
