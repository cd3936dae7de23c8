import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UserError } from "../../../../src/modes/cli/errors.ts";
import { Qlog } from "../../../../src/modes/runtime/qlog.ts";
import type { TraceEvent } from "../../../../src/wire/session/trace.ts";
import { SimNetwork } from "../../../sim/network.ts";
import { links, SimPair } from "../../../sim/pair.ts";
import { Transfer } from "../../../sim/transfer.ts";
import { readQlog } from "../../../support/qlog.ts";
import { temporaryFolder } from "../../../support/folder.ts";

const WALL_MS = 1_700_000_000_000;
const ID = "5e".repeat(16);
const PING: TraceEvent = { kind: "packet-sent", path: 1, number: 0, bytes: 64, frames: [{ kind: "ping" }] };

function opened(file: string): { readonly qlog: Qlog; readonly troubles: UserError[] } {
  const troubles: UserError[] = [];
  return { qlog: new Qlog(file, { onTrouble: (error) => troubles.push(error), wallMs: () => WALL_MS }), troubles };
}

test("a whole session is a trace that viewers can read", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "t.sqlog");
  const { qlog, troubles } = opened(file);
  const trace = qlog.session({ id: ID, isInitiator: true, now: 0 });
  const pair = new SimPair(new SimNetwork(1), {
    ...(trace && { trace: trace.sink }),
    limits: { rekeyAfterPackets: 200 },
  });
  pair.open(pair.addRoute({ ...links.home, loss: 0.03 }));
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(600_000));
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  trace?.end();
  await qlog.close();
  const { header, events } = readQlog(readFileSync(file, "utf8"));
  expect(troubles).toEqual([]);
  expect(header).toMatchObject({
    qlog_version: "0.3",
    qlog_format: "JSON-SEQ",
    trace: {
      vantage_point: { type: "client" },
      common_fields: { time_format: "relative", reference_time: WALL_MS },
    },
  });
  const names = new Set(events.map(({ name }) => name));
  for (const name of [
    "transport:packet_sent",
    "transport:packet_received",
    "recovery:packet_lost",
    "recovery:metrics_updated",
    "recovery:congestion_state_updated",
    "connectivity:path_assigned",
    "connectivity:mtu_updated",
    "security:key_updated",
  ])
    expect(names).toContain(name);
  const times = events.map(({ time }) => time);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(events.every((event) => typeof event.group_id === "string")).toBe(true);
});

test("in each group every ack and every loss is of a packet that was sent there", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "t.sqlog");
  const { qlog } = opened(file);
  const trace = qlog.session({ id: ID, isInitiator: true, now: 0 });
  const pair = new SimPair(new SimNetwork(2), { ...(trace && { trace: trace.sink }) });
  pair.open(pair.addRoute({ ...links.home, loss: 0.03 }));
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(400_000));
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  await qlog.close();
  const sent = new Set<string>();
  let settled = 0;
  for (const { name, group_id, data } of readQlog(readFileSync(file, "utf8")).events) {
    const number = (data["header"] as { packet_number: number } | undefined)?.packet_number;
    if (name === "transport:packet_sent") sent.add(`${group_id}/${number}`);
    if (name === "recovery:packet_lost") expect(sent).toContain(`${group_id}/${number}`);
    const frames = name === "transport:packet_received" ? (data["frames"] as Record<string, unknown>[]) : [];
    for (const frame of frames.filter((each) => each["frame_type"] === "ack"))
      for (const [, high] of frame["acked_ranges"] as [number, number][]) {
        expect(sent).toContain(`${group_id}/${high}`);
        settled++;
      }
  }
  expect(settled).toBeGreaterThan(20);
});

test("the file is for this person alone, and further sessions go beside it", async () => {
  using folder = temporaryFolder();
  const { qlog } = opened(join(folder.path, "t.sqlog"));
  for (const id of [ID, "ab".repeat(16)]) qlog.session({ id, isInitiator: false, now: 0 })?.sink(1, PING);
  await qlog.close();
  expect(readdirSync(folder.path).toSorted()).toEqual(["t-abababab.sqlog", "t.sqlog"]);
  expect(statSync(join(folder.path, "t.sqlog")).mode & 0o777).toBe(0o600);
  expect(readQlog(readFileSync(join(folder.path, "t-abababab.sqlog"), "utf8")).header).toMatchObject({
    title: "p2p session abababab",
    trace: { vantage_point: { type: "server" } },
  });
});

test("a file that exists is refused and stays as it is", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "t.sqlog");
  writeFileSync(file, "mine");
  expect(() => opened(file)).toThrow(`cannot write a trace to ${file}: there is such a file already`);
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test("a folder that is not there is told before anything else", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "away", "t.sqlog");
  expect(() => opened(file)).toThrow(
    expect.objectContaining({
      code: "not-writable",
      message: `cannot write a trace to ${file}: there is no such folder`,
    }),
  );
});

test("the file of a further session that cannot be made is told, and that session goes untraced", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "t.sqlog");
  writeFileSync(join(folder.path, "t-5e5e5e5e.sqlog"), "mine");
  const { qlog, troubles } = opened(file);
  expect(qlog.session({ id: "00".repeat(16), isInitiator: true, now: 0 })).not.toBeNull();
  expect(qlog.session({ id: ID, isInitiator: true, now: 0 })).toBeNull();
  expect(troubles.map(({ code }) => code)).toEqual(["not-writable"]);
  await qlog.close();
});

test("no file is left where there was no session", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "t.sqlog");
  const { qlog } = opened(file);
  expect(existsSync(file)).toBe(true);
  await qlog.close();
  expect(existsSync(file)).toBe(false);
});

test("what comes when the trace has ended is dropped in silence", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "t.sqlog");
  const { qlog, troubles } = opened(file);
  const trace = qlog.session({ id: ID, isInitiator: true, now: 0 });
  trace?.sink(1, PING);
  trace?.end();
  await qlog.close();
  trace?.sink(2, PING);
  expect(readQlog(readFileSync(file, "utf8")).events).toHaveLength(1);
  expect(troubles).toEqual([]);
});
