import { expect, test } from "bun:test";
import { createLog } from "../../../../src/modes/runtime/log.ts";
import { TroubleLog } from "../../../../src/modes/server/trouble-log.ts";
import { StoreError } from "../../../../src/store/errors.ts";
import { ManualClock } from "./manual-clock.ts";

function troublesOn(clock: ManualClock): { readonly troubles: TroubleLog; readonly lines: unknown[] } {
  const lines: unknown[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const times = { now: () => clock.now(), wallClock: () => clock.unixMs() };
  return { troubles: new TroubleLog(createLog({ level: "error", json: true, write, ...times }), clock), lines };
}

const away = new StoreError("busy", "cannot find the device: MongoDB at db:27017 cannot be reached");

test("bad input 185: TroubleLog tells that a store is away once in 30 s, whoever asks it, and without a stack", () => {
  const clock = new ManualClock();
  const { troubles, lines } = troublesOn(clock);
  for (let second = 0; second < 60; second++) {
    troubles.tell("request-failed", away);
    troubles.tell("store-trouble", new StoreError("busy", "cannot list accounts: MongoDB cannot be reached"));
    clock.advance(1_000);
  }
  const line = { level: "error", name: "store-trouble", reason: away.message };
  expect(lines).toEqual(["01", "31"].map((second) => ({ time: `2027-01-15T08:00:${second}.000Z`, ...line })));
});

test("TroubleLog tells another state of the store at once", () => {
  const { troubles, lines } = troublesOn(new ManualClock());
  troubles.tell("request-failed", away);
  troubles.tell("request-failed", new StoreError("disk-full", "cannot create the account: no room left"));
  expect(lines).toMatchObject([{ reason: away.message }, { reason: "cannot create the account: no room left" }]);
});

test("TroubleLog tells each defect by its name, with its stack", () => {
  const { troubles, lines } = troublesOn(new ManualClock());
  for (const defect of [new TypeError("of undefined"), new TypeError("of null"), "thrown"])
    troubles.tell("request-failed", defect);
  const stack = (message: string) => expect.stringContaining(`TypeError: ${message}\n`) as unknown;
  expect(lines).toMatchObject(
    [stack("of undefined"), stack("of null"), "thrown"].map((error) => ({ name: "request-failed", error })),
  );
});
