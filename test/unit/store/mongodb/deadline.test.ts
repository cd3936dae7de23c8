import { expect, test } from "bun:test";
import { DeadlineError, withDeadline } from "../../../../src/store/mongodb/deadline.ts";

test("withDeadline() ends work that never settles, and tells it so", async () => {
  let signal: AbortSignal | null = null;
  const work = withDeadline(1, (call) => {
    signal = call.signal;
    return new Promise<never>(() => {});
  });
  await expect(work).rejects.toBeInstanceOf(DeadlineError);
  expect(signal).toMatchObject({ aborted: true });
});

test("withDeadline() passes on what the work says, and leaves its signal alone", async () => {
  const done = await withDeadline(60_000, async ({ signal }) => signal);
  expect(done.aborted).toBe(false);
  await expect(withDeadline(60_000, () => Promise.reject(new RangeError("own")))).rejects.toBeInstanceOf(RangeError);
});
