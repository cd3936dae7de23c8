import { expect, test } from "bun:test";
import { Lifecycle } from "../../../../src/modes/runtime/lifecycle.ts";
import { createLog, type Log } from "../../../../src/modes/runtime/log.ts";

function logTo(lines: string[]): Log {
  const write = (line: string) => void lines.push(line);
  return createLog({ level: "debug", json: true, write, now: () => 0, wallClock: () => 0 });
}

test("close() goes backwards through what was opened, one step after the other", async () => {
  const order: string[] = [];
  const lifecycle = new Lifecycle({ log: logTo([]) });
  const step = (name: string) => async () => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
  };
  lifecycle.add("store", step("store"));
  lifecycle.add("sockets", step("sockets"));
  await lifecycle.close();
  expect(order).toEqual(["sockets begins", "sockets ends", "store begins", "store ends"]);
});

test("close() does it once, however often it is called", async () => {
  let calls = 0;
  const lifecycle = new Lifecycle({ log: logTo([]) });
  lifecycle.add("store", () => void calls++);
  await Promise.all([lifecycle.close(), lifecycle.close()]);
  await lifecycle.close();
  expect(calls).toBe(1);
});

test("a step that fails, at once or later, is logged and does not keep the others open", async () => {
  const lines: string[] = [];
  let closed = false;
  const lifecycle = new Lifecycle({ log: logTo(lines) });
  lifecycle.add("store", () => void (closed = true));
  lifecycle.add("late", () => Promise.reject(new Error("no disk")));
  lifecycle.add("at-once", () => {
    throw new Error("no socket");
  });
  await lifecycle.close();
  expect(closed).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { name: "close-failed", step: "at-once", error: "no socket" },
    { name: "close-failed", step: "late", error: "no disk" },
  ]);
});

test("a step that hangs is passed over", async () => {
  const lines: string[] = [];
  let closed = false;
  const lifecycle = new Lifecycle({ log: logTo(lines), stepTimeoutMs: 1 });
  lifecycle.add("store", () => void (closed = true));
  lifecycle.add("stuck", () => new Promise<void>(() => undefined));
  await lifecycle.close();
  expect(closed).toBe(true);
  expect(lines[0]).toContain('"step":"stuck"');
});

test("closeOn() waits for the signal, and needs no wait for one that came before", async () => {
  const controller = new AbortController();
  let closed = false;
  const lifecycle = new Lifecycle({ log: logTo([]) });
  lifecycle.add("store", () => void (closed = true));
  const done = lifecycle.closeOn(controller.signal);
  await Promise.resolve();
  expect(closed).toBe(false);
  controller.abort();
  await done;
  expect(closed).toBe(true);
  await new Lifecycle({ log: logTo([]) }).closeOn(controller.signal);
});
