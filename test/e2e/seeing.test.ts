import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CliEvent } from "../../src/modes/cli/events.ts";
import type { EventNamed } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";
import { type QlogRecord, readQlog } from "../support/qlog.ts";

// How a session is seen from outside: --verbose, the last line of a transfer, --qlog.
setDefaultTimeout(30_000);

let town: Community;
let ana: Person;
let ben: Person;

beforeAll(async () => {
  town = await Community.found();
  [ana, ben] = [await town.register("ana"), await town.register("ben")];
});

afterAll(() => town[Symbol.asyncDispose]());

const all = <Name extends CliEvent["event"]>(events: readonly CliEvent[], name: Name) =>
  events.filter((event) => event.event === name) as unknown as readonly EventNamed<Name>[];

function place(name: string): string {
  return join(town.folder, name);
}

function sentIn(events: readonly QlogRecord[]): number {
  return events.filter(({ name }) => name === "transport:packet_sent").length;
}

test("--verbose tells figures once a second, and once at the end before `closed`", async () => {
  await using receiver = await ben.receiving("--yes");
  // A stranger's ping would stay on the server's path.
  expect((await ana.run("msg", "ben", "hello")).exitCode).toBe(0);
  const { exitCode, events } = await ana.run("ping", "ben", "-c", "3", "--verbose");
  expect(exitCode).toBe(0);
  receiver.signal("SIGINT");
  expect(await receiver.exited).toBe(130);
  const stats = all(events, "stats");
  expect(stats.length).toBeGreaterThanOrEqual(2);
  expect(stats.map(({ final }) => final)).toEqual([...stats.slice(1).map(() => false), true]);
  expect(events.slice(-2).map(({ event }) => event)).toEqual(["stats", "closed"]);
  expect(stats.at(-1)).toMatchObject({
    peer: "ben",
    session: expect.stringMatching(/^[0-9a-f]{32}$/),
    path: "lan",
    rttMs: expect.any(Number),
    minRttMs: expect.any(Number),
    congestionWindowBytes: expect.any(Number),
    bytesInFlight: expect.any(Number),
    limitedBy: "application",
    packetsLostSpuriously: expect.any(Number),
    rekeys: 0,
  });
  expect(stats.at(-1)?.mtuBytes).toBeGreaterThanOrEqual(1_200);
  expect(stats.at(-1)?.packetsSent).toBeGreaterThan(5);
});

test("without --verbose there are no figures, and a small file says nothing of a limit", async () => {
  const file = place("small");
  writeFileSync(file, "small");
  await using receiver = await ben.receiving("--yes", "--once");
  const [sent, received] = await Promise.all([ana.run("send", file, "@ben"), receiver.finished(20_000)]);
  expect(all([...sent.events, ...received.events], "stats")).toEqual([]);
  expect(all(sent.events, "sent")).toMatchObject([{ bytes: 5, limitedBy: "too-short" }]);
  expect(all(received.events, "received")).toMatchObject([{ bytes: 5, limitedBy: "too-short" }]);
});

test("--qlog writes a trace that viewers read, for this person alone", async () => {
  const [file, trace] = [place("traced"), place("ana.sqlog")];
  writeFileSync(file, Buffer.alloc(2_000_000, "SECRET"));
  await using receiver = await ben.receiving("--yes", "--once", "--qlog", place("ben.sqlog"));
  const [sent] = await Promise.all([ana.run("send", file, "@ben", "--qlog", trace), receiver.finished(20_000)]);
  expect(sent.exitCode).toBe(0);
  expect(statSync(trace).mode & 0o777).toBe(0o600);
  const text = readFileSync(trace, "utf8");
  for (const hidden of ["SECRET", "traced", "ana", "ben", "127.0.0.1"]) expect(text).not.toContain(hidden);
  const [ours, theirs] = [trace, place("ben.sqlog")].map((path) => readQlog(readFileSync(path, "utf8")));
  expect(ours?.header).toMatchObject({ qlog_version: "0.3", qlog_format: "JSON-SEQ", trace: expect.anything() });
  expect(ours?.header["title"]).toBe(theirs?.header["title"]);
  expect(sentIn(ours?.events ?? [])).toBeGreaterThan(200);
  expect(ours?.events.some(({ name }) => name === "recovery:metrics_updated")).toBe(true);
});

test("each further session has a file of its own beside the first", async () => {
  const trace = place("many.sqlog");
  await using receiver = await ben.receiving("--yes", "--qlog", trace);
  const sessions: string[] = [];
  for (const text of ["one", "two"]) {
    const { events } = await ana.run("msg", "ben", text);
    sessions.push(all(events, "connected")[0]?.session ?? "");
  }
  receiver.signal("SIGINT");
  await receiver.exited;
  const [first, second] = [trace, place(`many-${sessions[1]?.slice(0, 8)}.sqlog`)];
  for (const path of [first, second]) expect(sentIn(readQlog(readFileSync(path, "utf8")).events)).toBeGreaterThan(3);
});

test("--qlog never writes over a file, and says so before anybody is rung", async () => {
  const trace = place("taken.sqlog");
  writeFileSync(trace, "mine");
  const { exitCode, events } = await ana.run("ping", "ben", "--qlog", trace);
  expect(exitCode).toBe(9);
  expect(events).toMatchObject([
    { event: "error", code: "not-writable", message: `cannot write a trace to ${trace}: there is such a file already` },
  ]);
  expect(readFileSync(trace, "utf8")).toBe("mine");
});

test("--qlog leaves no file behind when no session came about", async () => {
  const trace = place("none.sqlog");
  const { exitCode } = await ana.run("ping", "ben", "--qlog", trace);
  expect(exitCode).toBe(5);
  expect(existsSync(trace)).toBe(false);
});

test.skipIf(!existsSync("/dev/full"))("a folder that is none is told with what to try", async () => {
  const { exitCode, events } = await ana.run("ping", "ben", "--qlog", "/dev/full/trace.sqlog");
  expect(exitCode).toBe(9);
  expect(events).toMatchObject([{ event: "error", code: "not-writable", hint: "name another file", fatal: true }]);
});
