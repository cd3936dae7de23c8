import { test } from "bun:test";

/** Names a claim that nothing on this machine can show, so that the count of skipped tests tells of it. */
export function notHere(claim: string, reason: string): void {
  test.skipIf(true)(`${claim}: ${reason}`, () => {});
}
