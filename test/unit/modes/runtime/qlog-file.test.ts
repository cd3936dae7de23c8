import { expect, test } from "bun:test";
import { existsSync, openSync, readFileSync } from "node:fs";
import { QlogFile } from "../../../../src/modes/runtime/qlog-file.ts";
import { QlogTrace } from "../../../../src/modes/runtime/qlog-trace.ts";
import type { TraceEvent } from "../../../../src/wire/session/trace.ts";
import { temporaryFolder } from "../../../support/folder.ts";
import { readQlog } from "../../../support/qlog.ts";

const LOST: TraceEvent = { kind: "packet-lost", path: 2, number: 7, bytes: 1_200 };

test("QlogFile takes no more than 8 MiB that wait for the disk", async () => {
  using folder = temporaryFolder();
  const file = QlogFile.create(folder.at("t"), () => undefined);
  const piece = "x".repeat(1_048_576);
  const taken = Array.from({ length: 12 }, () => file.add(piece));
  expect(taken.filter(Boolean)).toHaveLength(8);
  await file.close();
  expect(readFileSync(folder.at("t"))).toHaveLength(8 * 1_048_576);
});

test("QlogTrace says where events are left out, and how many", () => {
  const records: string[] = [];
  let isFull = false;
  const write = (record: string): boolean => !isFull && records.push(record) > 0;
  const trace = new QlogTrace({ title: "t", isInitiator: true, startedAtMs: 0, wallMs: 5, write });
  trace.add(1, LOST);
  isFull = true;
  for (let count = 0; count < 3; count++) trace.add(2, LOST);
  isFull = false;
  trace.add(3, LOST);
  const { events } = readQlog(records.join(""));
  expect(events.map(({ time, name }) => [time, name])).toEqual([
    [1, "recovery:packet_lost"],
    [3, "generic:warning"],
    [3, "recovery:packet_lost"],
  ]);
  expect(events[1]?.data).toEqual({
    message: "3 events are left out here: they came faster than the disk took them",
  });
});

test.skipIf(!existsSync("/dev/full"))(
  "QlogFile tells once that the disk is full, and takes nothing any more",
  async () => {
    using folder = temporaryFolder();
    const troubles: unknown[] = [];
    const file = new QlogFile(folder.at("t"), openSync("/dev/full", "w"), (error) => troubles.push(error));
    expect(file.add("a")).toBe(true);
    await file.close();
    expect(troubles).toEqual([expect.objectContaining({ code: "ENOSPC" })]);
    expect(file.add("b")).toBe(false);
  },
);
