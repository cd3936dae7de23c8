import { expect, test } from "bun:test";
import { Progress, type ProgressFigures } from "../../../../../src/modes/peer/transfer/progress.ts";

function watched(total: number) {
  let nowMs = 1_000;
  const reports: ProgressFigures[] = [];
  const progress = new Progress(
    total,
    () => nowMs,
    (figures) => reports.push(figures),
  );
  const moved = (afterMs: number, bytes: number) => {
    nowMs += afterMs;
    progress.moved("a.bin", bytes);
  };
  return { reports, moved };
}

test("Progress reports four times a second at most, however often bytes move", () => {
  const { reports, moved } = watched(100_000);
  for (let step = 0; step < 10_000; step++) moved(1, 10);
  expect(reports.length).toBe(40);
  expect(reports.at(-1)).toEqual({
    file: "a.bin",
    bytes: 100_000,
    total: 100_000,
    bytesPerSecond: 10_000,
    etaSeconds: 0,
  });
});

test("Progress tells the rate of the last three seconds and the time that is left at it", () => {
  const { reports, moved } = watched(1_000_000);
  for (let step = 0; step < 40; step++) moved(250, 250);
  expect(reports.at(-1)).toMatchObject({ bytes: 10_000, bytesPerSecond: 1_000, etaSeconds: 990 });
  for (let step = 0; step < 12; step++) moved(250, 2_500);
  expect(reports.at(-1)).toMatchObject({ bytes: 40_000, bytesPerSecond: 10_000, etaSeconds: 96 });
});

test("Progress knows no time left while nothing moves", () => {
  const { reports, moved } = watched(10);
  moved(1_000, 0);
  expect(reports).toEqual([{ file: "a.bin", bytes: 0, total: 10, bytesPerSecond: 0, etaSeconds: null }]);
});
