import { afterEach, beforeEach, expect, test } from "bun:test";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { hiddenReport, type NetworkReport } from "../../src/wire/traversal/network-report.ts";
import { type Neighbour, Street } from "../support/neighbours.ts";

const ping = { purpose: "ping", waitMs: 10_000 } as const;

let street: Street;

beforeEach(async () => {
  street = await Street.open();
});

afterEach(async () => {
  await street[Symbol.asyncDispose]();
});

/** They have met, so that neither is a stranger any more. */
async function friends(): Promise<[Neighbour, Neighbour]> {
  const [ana, ben] = await street.pair();
  const [met] = await ana.chatWith(ben);
  await met.close();
  return [ana, ben];
}

/** Everything the other end tells of its network until a round trip after the last question. */
async function told(session: PeerSession, report: NetworkReport, questions = 1): Promise<readonly NetworkReport[]> {
  const heard: NetworkReport[] = [];
  const first = Promise.withResolvers<void>();
  session.onReport((each) => {
    heard.push(each);
    first.resolve();
  });
  for (let count = 0; count < questions; count++) session.report(report, true);
  await first.promise;
  for (let round = 0; round < 3; round++) await session.ping();
  return heard;
}

test("who is known is told by a ping's session how the other network is, once", async () => {
  const [ana] = await friends();
  const session = await ana.node.ask("ben", ping);
  const [report, ...more] = await told(session, ana.node.report, 3);
  expect(report).toMatchObject({ hidden: false, ipv4: "own", mappers: [] });
  expect(more).toEqual([]);
});

test("a stranger is told nothing of the network by a ping, and sees no address", async () => {
  const [ana] = await street.pair();
  const session = await ana.node.ask("ben", ping);
  const reports = await told(session, ana.node.report);
  expect(reports.every(({ hidden }) => hidden)).toBe(true);
  expect(session.path.kind).toStartWith("relay");
  expect(session.path.why).toStartWith("their side hides its address");
  expect(session.relayedBecause).toMatchObject({ cause: "their side hides its address" });
});

test("in a session of another kind nobody is told anything", async () => {
  const [ana, ben] = await friends();
  const [a, b] = await ana.chatWith(ben);
  const heard: NetworkReport[] = [];
  a.onReport((report) => void heard.push(report));
  a.report(ana.node.report, true);
  for (let round = 0; round < 5; round++) await a.ping();
  expect(heard).toEqual([]);
  await b.close();
});

test("who hides the address says so, and both ends are told why the server carries the session", async () => {
  const ana = await street.moveIn("ana", { relayOnly: true });
  const ben = await street.moveIn("ben");
  await ben.listen();
  expect(ana.node.report).toEqual(hiddenReport);
  const [a, b] = await ana.chatWith(ben);
  const why = Promise.withResolvers<string>();
  b.onPath((path) => why.resolve(path.why));
  expect(a.path.why).toStartWith("this side hides its address (--relay-only)");
  const said = b.relayedBecause === null ? await why.promise : b.path.why;
  expect(said).toStartWith("their side hides its address");
});
