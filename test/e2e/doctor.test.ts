import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ReportEvent } from "../../src/modes/cli/events.ts";
import { type Finished, run } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";

let town: Community;
let ana: Person;
let ben: Person;

beforeAll(async () => {
  town = await Community.found();
  ana = await town.register("ana");
  ben = await town.register("ben");
});

afterAll(async () => {
  await town[Symbol.asyncDispose]();
});

/** The one report of a run. */
function reportOf({ events, stdout, stderr }: Finished): ReportEvent {
  const reports = events.filter((event): event is ReportEvent => event.event === "report");
  const [report] = reports;
  if (report === undefined || reports.length > 1) throw new Error(`${reports.length} reports: ${stdout}${stderr}`);
  return report;
}

function errorOf({ events }: Finished): unknown {
  return events.at(-1);
}

test("p2p doctor without an account says what it can, what would help, and makes no folder", async () => {
  using folder = temporaryFolder();
  const home = join(folder.path, "home");
  const finished = await run(["doctor", "--home", home]);
  expect(finished.exitCode).toBe(0);
  expect(finished.stdout).toStartWith("no server is known here, which could look at this network from outside\n\nudp ");
  expect(finished.stderr).toStartWith("hint: join a server");
  expect(existsSync(home)).toBe(false);
});

test("p2p doctor --json without an account is one report, of what is known", async () => {
  using folder = temporaryFolder();
  const finished = await run(["doctor", "--json", "--home", join(folder.path, "home")]);
  expect([finished.exitCode, finished.events.length]).toEqual([0, 1]);
  expect(reportOf(finished)).toMatchObject({ allows: "unknown", udp: "unknown", filtering: "unknown", server: null });
});

test("p2p doctor of a server that nobody is signed in at says that it answers", async () => {
  using folder = temporaryFolder();
  const finished = await run(["doctor", "--json", "--home", join(folder.path, "home"), "--server", town.joinLine]);
  expect(finished.exitCode).toBe(0);
  const report = reportOf(finished);
  expect(report).toMatchObject({
    verdict: `the server at ${town.http} answers, but looks at UDP for members only`,
    reached: true,
  });
  // One machine, one clock; a server tells whole seconds.
  expect(Math.abs(report.serverClockSeconds ?? Number.NaN)).toBeLessThanOrEqual(1);
});

test("p2p doctor of a server that is down says so, with 10", async () => {
  using folder = temporaryFolder();
  const server = "p2p://127.0.0.1:1/";
  const finished = await run(["doctor", "--json", "--home", join(folder.path, "home"), "--server", server]);
  expect(finished.exitCode).toBe(10);
  expect(reportOf(finished)).toMatchObject({ reached: false, server: "127.0.0.1:1", allows: "unknown" });
  expect(errorOf(finished)).toMatchObject({ code: "server-unreachable", fatal: true });
});

test("p2p doctor in a network that wants a sign-in first names it, with 10", async () => {
  using folder = temporaryFolder();
  const headers = { location: "http://portal.example/sign-in" };
  await using portal = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response(null, { status: 302, headers }),
  });
  const server = `p2p://127.0.0.1:${portal.port}/`;
  const finished = await run(["doctor", "--json", "--home", join(folder.path, "home"), "--server", server]);
  expect(finished.exitCode).toBe(10);
  expect(reportOf(finished).verdict).toEndWith("this network wants you to sign in first, at portal.example");
});

test("p2p doctor of one who is signed in looks from outside, and shows no address unless it is asked to", async () => {
  const finished = await ana.run("doctor");
  expect(finished.exitCode).toBe(0);
  const report = reportOf(finished);
  expect(report).toMatchObject({
    verdict: "direct connections work with almost everybody: no NAT is in the way",
    allows: "good",
    udp: "works",
    udpAsked: 5,
    ipv4: "own",
    mapping: "independent",
    hairpin: true,
    server: town.http,
    reached: true,
    relays: true,
    proxy: null,
  });
  expect(report.udpAnswered).toBeGreaterThan(0);
  expect(report.relayRttMs).toBeGreaterThan(0);
  expect(report).not.toHaveProperty("addresses");
  const [address] = reportOf(await ana.run("doctor", "--verbose")).addresses ?? [];
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("p2p doctor for a person is the sentence, an empty line, and the rows", async () => {
  const { stdout, exitCode } = await run(["doctor", "--home", ana.home]);
  expect(exitCode).toBe(0);
  const [verdict, empty, ...rows] = stdout.trimEnd().split("\n");
  expect([verdict, empty]).toEqual(["direct connections work with almost everybody: no NAT is in the way", ""]);
  expect(rows.map((row) => row.slice(0, 14).trim())).toEqual([
    "udp",
    "ipv4",
    "ipv6",
    "mapping",
    "filtering",
    "port mapping",
    "hairpin",
    "mtu",
    "relay",
    "server clock",
  ]);
});

test("p2p doctor --relay-only sends nothing over UDP and says what that means", async () => {
  const finished = await ana.run("doctor", "--relay-only");
  expect(finished.exitCode).toBe(0);
  expect(reportOf(finished)).toMatchObject({ allows: "none", udp: "unknown", ipv4: "unknown", udpAsked: 0 });
});

test("p2p doctor of a device that was signed out says so, with 3", async () => {
  const cem = await town.register("cem");
  await run(["server", "revoke", "cem", "--data", town.dataFolder]);
  const finished = await cem.run("doctor");
  expect(finished.exitCode).toBe(3);
  expect(reportOf(finished)).toMatchObject({ reached: true, allows: "unknown", udp: "unknown" });
  expect(reportOf(finished).verdict).toStartWith("the server answers, but does not let this device in");
});

test("p2p doctor PERSON: a stranger shows nothing of the network, which is then why, with 7", async () => {
  await using _ = await ben.receiving();
  const finished = await ana.run("doctor", "@ben");
  expect(finished.exitCode).toBe(7);
  const report = finished.events.find(({ event }) => event === "report");
  expect(report).toMatchObject({ peer: "ben", direct: false, theirs: null, udp: "works" });
  expect(report).toHaveProperty("verdict", expect.stringContaining("not direct: their side hides its address"));
  expect(errorOf(finished)).toMatchObject({ code: "no-path", message: "no direct path to ben" });
});

test("p2p doctor PERSON: who has met hears of both networks, from either end", async () => {
  await using both = new AsyncDisposableStack();
  both.use(await ben.receiving());
  expect((await ana.run("msg", "ben", "hello")).exitCode).toBe(0);
  const there = await ana.run("doctor", "@ben");
  expect(there.exitCode).toBe(0);
  const theirs = { udp: "works", ipv4: "own", mapping: "independent" };
  const expected = { direct: true, path: "lan", verdict: "direct: both are in one network", theirs };
  expect(there.events.find(({ event }) => event === "report")).toMatchObject({ peer: "ben", ...expected });
  both.use(await ana.receiving());
  const back = await ben.run("doctor", "@ana");
  expect(back.exitCode).toBe(0);
  expect(back.events.find(({ event }) => event === "report")).toMatchObject({ peer: "ana", ...expected });
});

test("p2p doctor PERSON --relay-only says that this side hides, and how not to", async () => {
  await using _ = await ben.receiving();
  const finished = await ana.run("doctor", "@ben", "--relay-only");
  expect(finished.exitCode).toBe(7);
  expect(errorOf(finished)).toMatchObject({ hint: "leave --relay-only out for a direct path" });
});

test("p2p doctor PERSON of who is not there ends with 5, and without an account with 3", async () => {
  const finished = await ana.run("doctor", "@ben");
  expect([finished.exitCode, errorOf(finished)]).toMatchObject([5, { code: "offline" }]);
  using folder = temporaryFolder();
  expect((await run(["doctor", "@ben", "--json", "--home", join(folder.path, "home")])).exitCode).toBe(3);
});
