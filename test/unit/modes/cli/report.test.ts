import { describe, expect, test } from "bun:test";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { describeError, stackOf } from "../../../../src/modes/cli/report.ts";
import { type ErrorCode, errorCodes, WireError } from "../../../../src/wire/errors.ts";

/** The table of exit statuses, as the contract with scripts has it. */
const statuses: Readonly<Record<number, readonly ErrorCode[]>> = {
  1: ["internal"],
  2: ["usage", "config", "already-registered", "port-in-use"],
  3: ["not-signed-in", "wrong-password", "name-taken", "bad-name", "weak-password", "bad-invite", "revoked"],
  4: ["no-such-person"],
  5: ["offline", "no-answer", "peer-gone"],
  6: ["declined", "blocked"],
  7: ["no-path"],
  8: ["server-key-changed", "peer-key-changed", "unverified", "number-differs"],
  9: ["file-not-found", "file-unreadable", "file-changed", "disk-full", "not-writable", "too-large"],
  10: ["server-unreachable"],
  11: ["busy", "limited"],
  130: ["interrupted"],
  143: ["terminated"],
};
const wireOnly: readonly ErrorCode[] = [
  "bad-message",
  "unknown-type",
  "no-such-request",
  "no-such-session",
  "protocol-error",
  "answered-elsewhere",
  "cancelled",
];
const rows = Object.entries(statuses).flatMap(([status, codes]) =>
  codes.map((code) => [code, Number(status)] as const),
);

test.each(rows)("%s ends with status %d", (code, exit) => {
  expect(describeError(new UserError(code, "it failed"), true)).toMatchObject({ code, exit, fatal: true });
});

test.each(wireOnly)("%s is for programs only: 1 when it is ours, 5 when it is theirs", (code) => {
  const ours = describeError(new UserError(code, "x"), true);
  expect(ours).toMatchObject({ code: "internal", exit: 1 });
  expect(describeError(new UserError(code, "x", { side: "remote" }), true)).toMatchObject({
    code: "peer-gone",
    exit: 5,
  });
  expect(describeError(new WireError(code, "x"), true)).toMatchObject({ code: "peer-gone", exit: 5, side: "remote" });
});

test("these are all the codes there are", () => {
  expect([...rows.map(([code]) => code), ...wireOnly].toSorted()).toEqual([...errorCodes].toSorted());
});

describe("describeError()", () => {
  test.each([...errorCodes])("gives %s a hint even where the error has none", (code) => {
    expect(describeError(new UserError(code, "x"), false).hint).not.toBe("");
  });

  test("keeps message, hint and side of a UserError", () => {
    const error = new UserError("offline", "bob is offline", { hint: "call him", side: "remote" });
    expect(describeError(error, false)).toEqual({
      event: "error",
      code: "offline",
      message: "bob is offline",
      hint: "call him",
      side: "remote",
      exit: 5,
      fatal: false,
    });
  });

  test("takes an error of a store, which carries one of our codes", () => {
    const error = Object.assign(new Error("cannot open accounts.db"), { code: "config", hint: "restore it" });
    expect(describeError(error, true)).toMatchObject({ code: "config", hint: "restore it", side: "local", exit: 2 });
  });

  test("calls everything else our defect, also an error of the system and what is no error at all", () => {
    const system = Object.assign(new Error("no such file"), { code: "ENOENT" });
    for (const thrown of [system, new TypeError("x is undefined"), "text", null, undefined]) {
      expect(describeError(thrown, true)).toMatchObject({ code: "internal", exit: 1, side: "local" });
    }
  });
});

test("stackOf() tells where a defect arose, and nothing of what people can mend", () => {
  expect(stackOf(new TypeError("x"))).toContain("TypeError");
  expect(stackOf(new UserError("offline", "x"))).toBeNull();
  expect(stackOf("text")).toBeNull();
});
