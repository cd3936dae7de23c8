import { expect, test } from "bun:test";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import { endReason } from "../../../../../src/modes/peer/transfer/failure.ts";

test("endReason() of a transfer that arrived is an end like any other", () => {
  expect(endReason(null)).toBe("finished");
});

test.each([
  ["interrupted", "local", "the transfer was cancelled"],
  ["terminated", "local", "the transfer was cancelled"],
  ["cancelled", "remote", "the transfer was cancelled"],
  ["declined", "remote", "the files were declined"],
  ["disk-full", "local", "the transfer failed"],
] as const)("endReason() of %s, %s, is: %s", (code, side, reason) => {
  expect(endReason(new UserError(code, "it ended", { side }))).toBe(reason);
});

test("endReason() of a defect says no more than that it failed", () => {
  expect(endReason(new RangeError("a defect"))).toBe("the transfer failed");
});
