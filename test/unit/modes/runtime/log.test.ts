import { describe, expect, test } from "bun:test";
import { createLog, type Log, type LogLevel, type LogOptions, pii, Secret } from "../../../../src/modes/runtime/log.ts";

interface Capture {
  readonly log: Log;
  readonly lines: string[];
  now: number;
}

function capture(level: LogLevel, options: Partial<LogOptions> = {}): Capture {
  const lines: string[] = [];
  const captured: Capture = {
    log: createLog({
      level,
      json: true,
      write: (line) => void lines.push(line),
      now: () => captured.now,
      wallClock: () => Date.UTC(2030, 0, 2, 3, 4, 5, 6),
      ...options,
    }),
    lines,
    now: 0,
  };
  return captured;
}

test("a line for programs is JSON with time, level, name and fields", () => {
  const { log, lines } = capture("info");
  log.info("path-selected", { kind: "relay-ws", rttMs: 41, direct: false, why: null, absent: undefined });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    time: "2030-01-02T03:04:05.006Z",
    level: "info",
    name: "path-selected",
    kind: "relay-ws",
    rttMs: 41,
    direct: false,
    why: null,
  });
});

test("a field cannot pass for time, level or name", () => {
  const { log, lines } = capture("info");
  log.info("real", { name: "forged", level: "error", time: "never" });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ name: "real", level: "info", time: "2030-01-02T03:04:05.006Z" });
});

test("a line for people is text, with values quoted where they need it", () => {
  const { log, lines } = capture("info", { json: false });
  log.warn("slow-disk", { path: "/var/lib/p2p", reason: "it took\nlong \u001b[2J", ms: 5 });
  expect(lines).toEqual(['03:04:05.006 warn  slow-disk path=/var/lib/p2p reason="it took\\nlong \\u001b[2J" ms=5\n']);
});

test.each([
  ["error", ["e"]],
  ["warn", ["e", "w"]],
  ["info", ["e", "w", "i"]],
  ["debug", ["e", "w", "i", "d"]],
] as const)("level %s lets through %j", (level, names) => {
  const { log, lines } = capture(level);
  log.error("e");
  log.warn("w");
  log.info("i");
  log.debug("d");
  expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual([...names]);
});

describe("bad input 178:", () => {
  test.each([true, false])("names and addresses show at level debug only (JSON: %p)", (json) => {
    const [info, debug] = [capture("info", { json }), capture("debug", { json })];
    for (const { log } of [info, debug]) log.info("signed-in", { user: pii("ana"), from: pii("203.0.113.7") });
    expect(info.lines[0]).not.toMatch(/ana|203\.0/);
    expect(info.lines[0]).toContain("<hidden>");
    expect(debug.lines[0]).toMatch(/ana.*203\.0\.113\.7/);
  });

  test("a wrapped value does not show by itself either", () => {
    const wrapped = pii("ana");
    expect([String(wrapped), JSON.stringify({ wrapped })]).toEqual(["<hidden>", '{"wrapped":"<hidden>"}']);
  });

  test("a secret shows at no level", () => {
    const { log, lines } = capture("debug");
    log.debug("token", { token: new Secret() });
    expect(lines[0]).toContain('"token":"<hidden>"');
  });
});

test("a name that repeats is cut off at ten lines in ten seconds, and the next line tells how many were left out", () => {
  const captured = capture("info");
  for (let index = 0; index < 1_000; index++) captured.log.info("refused", { index });
  captured.log.info("other");
  expect(captured.lines).toHaveLength(11);
  captured.now = 10_000;
  captured.log.info("refused");
  captured.log.info("refused");
  const [first, second] = captured.lines.slice(11).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toMatchObject({ name: "refused", leftOut: 990 });
  expect(second).not.toHaveProperty("leftOut");
});

test("what the level hides does not count against the limit", () => {
  const { log, lines } = capture("info");
  for (let index = 0; index < 100; index++) log.debug("same");
  log.info("same");
  expect(lines).toHaveLength(1);
});
