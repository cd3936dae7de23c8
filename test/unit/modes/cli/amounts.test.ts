import { expect, test } from "bun:test";
import { formatBytes, formatCount, formatMs, formatSeconds } from "../../../../src/modes/cli/amounts.ts";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_000, "1.00 kB"],
  [999_499, "999 kB"],
  [999_500, "1.00 MB"],
  [12_345_678, "12.3 MB"],
  [1_073_741_824, "1.07 GB"],
  [Number.MAX_SAFE_INTEGER, "9.01 PB"],
])("formatBytes(%d) is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0.4, "0 s"],
  [-3, "0 s"],
  [59.4, "59 s"],
  [185, "3 min 5 s"],
  [7_860, "2 h 11 min"],
])("formatSeconds(%d) is %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test("formatMs() and formatCount()", () => {
  expect([formatMs(0.149), formatMs(12.34), formatMs(250.4)]).toEqual(["0.15 ms", "12.3 ms", "250 ms"]);
  expect([formatCount(1, "file"), formatCount(0, "file"), formatCount(2, "file")]).toEqual([
    "1 file",
    "0 files",
    "2 files",
  ]);
});
