import { expect, test } from "bun:test";
import type { NodeFigures } from "../../../../src/modes/cli/events.ts";
import { renderEvent } from "../../../../src/modes/cli/render.ts";
import { type AdminOptions, answerAdmin, parseAnswer, parseQuestion } from "../../../../src/modes/server/admin.ts";
import { clusterFigures } from "../../../../src/modes/server/cluster-figures.ts";
import { figuresOf, type RunningFigures, statusOf } from "../../../../src/modes/server/status.ts";
import type { AccountStore, Page } from "../../../../src/store/accounts.ts";
import type { Bus } from "../../../../src/store/bus.ts";
import { StoreError } from "../../../../src/store/errors.ts";
import { MAX_PAGE_ENTRIES } from "../../../../src/store/limits.ts";
import { openAccountStore } from "../../../../src/store/open.ts";
import { House } from "./house.ts";
import { Neighbourhood } from "./neighbourhood.ts";

const nothing: NodeFigures = {
  uptimeSeconds: 0,
  people: 0,
  devices: 0,
  channels: 0,
  pairings: 0,
  sessions: { lan: 0, direct: 0, "port-mapped": 0, "relay-udp": 0, "relay-ws": 0 },
  directShare: null,
  relayedBytes: 0,
  relayedByAccount: [],
  limits: { connections: 0, "sign-ins": 0, messages: 0, rings: 0, requests: 0, relay: 0 },
};

const ignore = () => undefined;

/** As the running server answers its operator. */
function optionsOf({ options, services }: House): AdminOptions {
  return {
    ...options,
    place: { secure: false, nodes: [{ host: "192.0.2.7", port: 7_420 }] },
    isOnline: () => false,
    presence: options.presence,
    onRevoked: (deviceIds) => services.revocations.note(deviceIds),
    figures: async () => ({ ...figuresOf(services), cluster: await clusterFigures(services, options) }),
    onTrouble: ignore,
  };
}

/** An account store that is away. */
async function lostStore(): Promise<AccountStore> {
  const store = await openAccountStore("memory:");
  const lost = async () => Promise.reject(new StoreError("busy", "the database is away"));
  return { ...store, accounts: { ...store.accounts, list: lost } };
}

test("figuresOf() a house that has just opened", async () => {
  await using house = await House.open();
  expect(figuresOf(house.services)).toEqual(nothing);
});

test("figuresOf() counts a person with two devices once, and who answers nothing as signed in only", async () => {
  await using house = await House.open();
  await house.present("ana");
  await house.present("ana");
  await house.member("ben");
  house.clock.advance(90_500);
  expect(figuresOf(house.services)).toMatchObject({ uptimeSeconds: 90, people: 1, devices: 3, channels: 3 });
});

test("figuresOf() tells the share of direct sessions of those that said how they ended", async () => {
  await using house = await House.open();
  const { tally } = house.services;
  for (const path of ["lan", "direct", "port-mapped", "relay-ws"] as const) tally.sessionEnded(path);
  expect(figuresOf(house.services).directShare).toBe(0.75);
});

test("figuresOf() names the ten accounts that sent most through the server", async () => {
  await using house = await House.open();
  for (let at = 1; at <= 12; at++) house.services.tally.relayed(`p${at}`, at);
  const { relayedByAccount, relayedBytes } = figuresOf(house.services);
  expect([relayedByAccount.length, relayedByAccount[0], relayedBytes]).toEqual([10, { name: "p12", bytes: 12 }, 78]);
});

test("statusOf() a running server whose accounts do not answer says so, and why to the log", async () => {
  const troubles: unknown[] = [];
  const status = await statusOf(await lostStore(), { ...nothing, cluster: null }, (error) => troubles.push(error));
  expect(status).toMatchObject({ running: true, storeMs: null });
  expect(troubles).toMatchObject([{ code: "busy" }]);
});

test("statusOf() without a server is of the accounts alone, and fails with them", async () => {
  await using store = await openAccountStore("memory:");
  expect(await statusOf(store, null, ignore)).toMatchObject({ running: false, storeMs: expect.any(Number) });
  await expect(statusOf(await lostStore(), null, ignore)).rejects.toMatchObject({ code: "busy" });
});

test("parseAnswer() takes a status as JSON brings it, and nothing that only looks like one", async () => {
  await using house = await House.open();
  house.services.tally.relayed("ana", 5);
  const answer = await answerAdmin({ kind: "status" }, optionsOf(house));
  const sent: unknown = JSON.parse(JSON.stringify(answer));
  expect(parseAnswer(sent)).toEqual(answer);
  const status = answer.kind === "status" ? answer.status : null;
  for (const change of [
    { people: "3" },
    { limits: { rings: "many" } },
    { relayedByAccount: [{ name: 3 }] },
    { directShare: "all" },
    { storeMs: "1" },
    { running: "yes" },
    { cluster: undefined },
    { cluster: { nodes: 2, people: "31", redisMs: 1 } },
    { cluster: { nodes: 2, people: 31 } },
    { version: 1 },
  ])
    expect(parseAnswer({ kind: "status", status: { ...status, ...change } })).toBeNull();
});

/** One node of two, by its settings too. */
const ownPlace = { host: "192.0.2.8", port: 7_420 };

test("clusterFigures() is null for a server of one node, and of all people for one of several", async () => {
  await using alone = await House.open();
  expect(await clusterFigures(alone.services, alone.options)).toBeNull();
  await using place = await Neighbourhood.open({ ownPlace });
  for (const [name, at] of [
    ["ana", 0],
    ["ana", 1],
    ["ben", 1],
  ] as const)
    await place.present(name, 1, at);
  const [{ services, options }] = place.houses;
  expect(services.attendance.people).toBe(1);
  expect(await clusterFigures(services, options)).toEqual({ nodes: 2, people: 2, redisMs: expect.any(Number) });
});

test("clusterFigures() counts more people than one page of presence has", async () => {
  await using house = await House.open({ ownPlace });
  const names = Array.from({ length: 2 * MAX_PAGE_ENTRIES + 7 }, (_, at) => `p${at}`.padEnd(8, "x")).sort();
  const online = async ({ after = "", limit }: Page) => {
    const from = names.findIndex((name) => name > after);
    return from < 0 ? [] : names.slice(from, from + limit).map((name) => ({ name, userId: new Uint8Array(16) }));
  };
  const shared = { bus: house.options.bus, presence: { ...house.options.presence, online } };
  expect(await clusterFigures(house.services, shared)).toMatchObject({ people: names.length });
});

test("clusterFigures() knows nobody at other nodes while Redis is away", async () => {
  await using house = await House.open({ ownPlace });
  await house.present("ana");
  const away: Bus = { ...house.options.bus, publish: async () => "away" };
  const figures = await clusterFigures(house.services, { ...house.options, bus: away });
  expect(figures).toEqual({ nodes: 1, people: null, redisMs: null });
});

test("users of a node tells who is online at another one", async () => {
  await using place = await Neighbourhood.open({ ownPlace });
  await place.present("ben", 1, 1);
  await place.enrol("carl");
  const answer = await answerAdmin({ kind: "users", after: "" }, optionsOf(place.houses[0]));
  const users = [
    expect.objectContaining({ name: "ben", online: true }),
    expect.objectContaining({ name: "carl", online: false }),
  ];
  expect(answer).toMatchObject({ users });
});

test("parseQuestion() knows the verbs that name an account, and no other", () => {
  for (const kind of ["revoke", "block", "unblock", "passwd"] as const)
    expect(parseQuestion({ kind, name: "ana" })).toEqual({ kind, name: "ana" });
  expect([parseQuestion({ kind: "block" }), parseQuestion({ kind: "remove", name: "ana" })]).toEqual([null, null]);
  expect(parseQuestion({ kind: "status", name: 3 })).toEqual({ kind: "status" });
});

test("block ends what the account has open, refuses its devices, and unblock lets it enrol again", async () => {
  await using house = await House.open();
  const ana = await house.member("ana");
  const options = optionsOf(house);
  expect(await answerAdmin({ kind: "block", name: "Ana" }, options)).toEqual({ kind: "revoked", devices: 1 });
  expect(ana.closeCode).not.toBeNull();
  expect(await house.connect(ana.keys).signIn(ana.me?.token)).toMatchObject({ kind: "failed" });
  expect(await answerAdmin({ kind: "users", after: "" }, options)).toMatchObject({
    users: [{ name: "ana", blocked: true }],
  });
  expect(await answerAdmin({ kind: "unblock", name: "ana" }, options)).toEqual({ kind: "revoked", devices: 0 });
  expect((await house.options.store.accounts.find("ana"))?.blocked).toBe(false);
});

test("block of nobody is refused", async () => {
  await using house = await House.open();
  await expect(answerAdmin({ kind: "block", name: "nobody" }, optionsOf(house))).rejects.toMatchObject({
    code: "no-such-person",
  });
});

const shown = (changes: Partial<RunningFigures>, storeMs: number | null = 0.4) =>
  renderEvent({ event: "status", running: true, version: "1.2.3", storeMs, cluster: null, ...nothing, ...changes });

test("a person reads the status as a table", () => {
  const [drawn] = shown({
    uptimeSeconds: 11_400,
    people: 12,
    devices: 15,
    channels: 17,
    pairings: 3,
    sessions: { lan: 4, direct: 30, "relay-ws": 6, "relay-udp": 0 },
    directShare: 0.85,
    relayedBytes: 1_200_000_000,
    relayedByAccount: [
      { name: "ana", bytes: 800_000_000 },
      { name: "ben", bytes: 400_000_000 },
    ],
    limits: { connections: 3, rings: 0, "sign-ins": 12 },
  });
  expect(drawn).toEqual({
    to: "stdout",
    text: `server    p2p 1.2.3, up 3 h 10 min
online    12 people, 15 devices, 17 channels
sessions  3 now; 40 ended since the start, 85 % direct (lan 4, direct 30, relay-ws 6)
relayed   1.20 GB since the start
          800 MB from ana
          400 MB from ben
limits    connections 3, sign-ins 12
accounts  answer in 0.40 ms`,
  });
});

test("the table of a server where nothing has happened, and of one whose accounts are away", () => {
  const [drawn] = shown({ people: 1, devices: 1, channels: 1 }, null);
  expect(drawn?.text).toBe(`server    p2p 1.2.3, up 0 s
online    1 person, 1 device, 1 channel
sessions  0 now; 0 ended since the start
relayed   0 bytes since the start
limits    none hit since the start
accounts  do not answer`);
});

test("the table of one node of several says which figures are of all nodes", () => {
  const figures = { people: 12, devices: 15, channels: 17, pairings: 3, relayedBytes: 5 };
  const cluster = { nodes: 2, people: 31, redisMs: 0.2 };
  expect(shown({ ...figures, cluster })[0]?.text).toBe(`server    p2p 1.2.3, up 0 s, one of 2 nodes
online    31 people in all; at this node 12 people, 15 devices, 17 channels
sessions  3 now at this node; 0 ended since the start
relayed   5 bytes since the start of this node
limits    none hit since the start of this node
accounts  answer in 0.40 ms
redis     answers in 0.20 ms`);
  const [away] = shown({ ...figures, cluster: { nodes: 2, people: null, redisMs: null } });
  expect(away?.text).toContain("\nonline    unknown at the others; at this node 12 people");
  expect(away?.text).toEndWith("\nredis     does not answer; this node goes on by itself");
});

test("the table without a server has the version and the accounts", () => {
  const [drawn] = renderEvent({ event: "status", running: false, version: "1.2.3", storeMs: 12 });
  expect(drawn?.text).toBe("server    p2p 1.2.3, not running\naccounts  answer in 12.0 ms");
});
