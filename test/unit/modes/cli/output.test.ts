import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import type { CliEvent, MessageEvent } from "../../../../src/modes/cli/events.ts";
import { jsonLine, Output, type OutputOptions } from "../../../../src/modes/cli/output.ts";

class Sink extends Writable {
  text = "";
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.text += new TextDecoder().decode(chunk);
    done();
  }
}

function make(options: Partial<OutputOptions> = {}): { output: Output; stdout: Sink; stderr: Sink } {
  const [stdout, stderr] = [new Sink(), new Sink()];
  const usual = { json: false, quiet: false, verbose: false, color: false, redraw: false, columns: () => 40 };
  return { output: new Output({ stdout, stderr, ...usual, ...options }), stdout, stderr };
}

const message: MessageEvent = {
  event: "message",
  peer: "bob",
  session: "0a",
  from: "bob",
  id: "1",
  text: "one\ntwo \u001b[31mred",
  sentAtMs: 5,
};
const progress: CliEvent = {
  event: "progress",
  peer: "bob",
  session: "0a",
  id: "1",
  file: "a.bin",
  bytes: 500,
  total: 1_000,
  bytesPerSecond: 100,
  etaSeconds: 5,
};

describe("with --json", () => {
  test("an event is one object on one line of stdout, version first", () => {
    const { output, stdout, stderr } = make({ json: true });
    output.event({ event: "waiting" });
    output.event(message);
    const lines = stdout.text.split("\n");
    expect(lines[0]).toBe('{"v":1,"event":"waiting"}');
    expect(JSON.parse(lines[1] ?? "")).toEqual({ v: 1, ...message });
    expect([lines[2], lines.length, stderr.text]).toEqual(["", 3, ""]);
  });

  test("text for people never reaches stdout", () => {
    const { output, stdout, stderr } = make({ json: true });
    output.print("payload");
    output.note("note");
    expect([stdout.text, stderr.text]).toEqual(["", "note\n"]);
  });

  test("an error is an event with all its fields", () => {
    const { output, stdout, stderr } = make({ json: true });
    expect(output.fatal(new UserError("offline", "bob is offline", { side: "remote" }))).toBe(5);
    expect(JSON.parse(stdout.text)).toEqual({
      v: 1,
      event: "error",
      code: "offline",
      message: "bob is offline",
      hint: expect.any(String),
      side: "remote",
      exit: 5,
      fatal: true,
    });
    expect(stderr.text).toBe("");
  });

  test("an interruption is told, so that the last line is always an error or a good end", () => {
    const { output, stdout } = make({ json: true });
    expect(output.fatal(new UserError("interrupted", "interrupted"))).toBe(130);
    expect(JSON.parse(stdout.text)).toMatchObject({ code: "interrupted", exit: 130, fatal: true });
  });

  test("what a terminal might obey is escaped, and read back it is the same", () => {
    const event: CliEvent = { ...message, text: "\u009b2J\u202ex\u2028y\u007f\u200b" };
    const line = jsonLine(event);
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toEqual({ v: 1, ...event });
  });
});

describe("for people", () => {
  test("payload goes to stdout, with the sender before each line, and cleaned", () => {
    const { output, stdout, stderr } = make();
    output.event(message);
    expect([stdout.text, stderr.text]).toEqual(["bob: one\nbob: two red\n", ""]);
  });

  test("an error says what failed and what to try, on stderr", () => {
    const { output, stdout, stderr } = make();
    expect(output.fatal(new UserError("no-path", "no \u001b[2Jpath", { hint: "wait" }))).toBe(7);
    expect([stdout.text, stderr.text]).toEqual(["", "p2p: error: no path\np2p: hint: wait\n"]);
  });

  test("a defect shows where it arose with --verbose only", () => {
    const [plain, verbose] = [make(), make({ verbose: true })];
    plain.output.fatal(new TypeError("x"));
    verbose.output.fatal(new TypeError("x"));
    expect(plain.stderr.text).toStartWith("p2p: error: unexpected: TypeError: x\np2p: hint: ");
    expect(plain.stderr.text).not.toContain("output.test.ts");
    expect(verbose.stderr.text).toContain("output.test.ts");
  });

  test.each(["interrupted", "terminated"] as const)("nobody is told that he was %s", (code) => {
    const { output, stderr } = make();
    expect(output.fatal(new UserError(code, code))).toBe(code === "interrupted" ? 130 : 143);
    expect(stderr.text).toBe("");
  });

  test("--quiet leaves payload and errors", () => {
    const { output, stdout, stderr } = make({ quiet: true });
    output.event({ event: "waiting" });
    output.note("note");
    output.event(message);
    output.error(new UserError("offline", "bob is offline"));
    expect(stdout.text).toStartWith("bob: one\n");
    expect(stderr.text).toStartWith("p2p: error: bob is offline\n");
  });

  test("--verbose adds details", () => {
    const posted: CliEvent = { event: "posted", peer: "bob", session: "0a", id: "1", to: "bob" };
    const [plain, verbose] = [make(), make({ verbose: true })];
    plain.output.event(posted);
    verbose.output.event(posted);
    expect([plain.stderr.text, verbose.stderr.text]).toEqual(["", "on its way to bob\n"]);
  });

  test("colour is put on only where it may be", () => {
    const { output, stderr } = make({ color: true });
    output.error(new UserError("offline", "x", { hint: "y" }));
    expect(stderr.text).toBe("\u001b[31mp2p: error:\u001b[0m x\np2p: hint: y\n");
  });
});

describe("the status line", () => {
  const ERASE = "\r\u001b[K";

  test("is drawn over, makes way for other lines, and goes at the end", async () => {
    const { output, stdout, stderr } = make({ redraw: true, columns: () => 30 });
    output.event(progress);
    expect(stderr.text).toBe(`${ERASE}50% of 1.00 kB, 100 bytes/s,…`);
    stderr.text = "";
    output.event({ ...message, text: "hi" });
    expect(stderr.text).toBe(`${ERASE}50% of 1.00 kB, 100 bytes/s,…`);
    expect(stdout.text).toBe("bob: hi\n");
    stderr.text = "";
    await output.flush();
    expect(stderr.text).toBe(ERASE);
  });

  test("is not drawn where it cannot be drawn over", () => {
    const { output, stderr } = make();
    output.event(progress);
    output.status("working");
    expect(stderr.text).toBe("");
  });
});

describe("bad input 144:", () => {
  test("a stream that is closed, or breaks while it is written to, holds nobody up", async () => {
    const { output, stdout } = make();
    stdout.on("error", () => undefined);
    stdout.destroy(new Error("EPIPE"));
    output.print("x");
    await output.flush();
    expect(stdout.text).toBe("");
  });
});

test("flush() waits for a slow reader", async () => {
  const stdout = new Writable({ write: (_chunk, _encoding, done) => void (release = done) });
  let release: (() => void) | undefined;
  const { output } = make({ stdout });
  output.print("x");
  let done = false;
  const flushed = output.flush().then(() => (done = true));
  await Promise.resolve();
  expect(done).toBe(false);
  release?.();
  await new Promise((resolve) => setImmediate(resolve));
  release?.();
  await flushed;
  expect(done).toBe(true);
});
