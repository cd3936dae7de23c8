import { expect, test } from "bun:test";
import {
  formatBitRate,
  formatBytes,
  formatCount,
  formatMs,
  formatSeconds,
  formatShare,
} from "../../../../src/modes/cli/amounts.ts";

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

test("formatBitRate() has three digits and a unit", () => {
  const rates = [0, 999, 999.6, 1_500, 980_000_000, 1.25e9, 3e15];
  expect(rates.map(formatBitRate)).toEqual([
    "0 bit/s",
    "999 bit/s",
    "1.00 kbit/s",
    "1.50 kbit/s",
    "980 Mbit/s",
    "1.25 Gbit/s",
    "3000 Tbit/s",
  ]);
});

test("formatShare() shows little as little, and nothing as nothing", () => {
  expect(formatShare(0, 0)).toBe("0 %");
  expect(formatShare(0, 10)).toBe("0 %");
  expect(formatShare(1, 100_000)).toBe("< 0.1 %");
  expect(formatShare(2, 1_000)).toBe("0.2 %");
  expect(formatShare(130, 1_000)).toBe("13 %");
});
