import { expect, test } from "bun:test";
import { pathWords } from "../../../../../src/modes/peer/chat/path-words.ts";
import { sessionPair } from "../../../../support/session-pair.ts";

test("pathWords() says which way, why, and how it does in one paragraph", () => {
  const { a } = sessionPair();
  const path = { kind: "direct", remote: "192.0.2.7:5000", rttMs: 30, why: "a better kind of path" } as const;
  const known = {
    rttMs: 22.14,
    minRttMs: 20.3,
    mtuBytes: 1_452,
    sentPackets: 1_000,
    lostPackets: 20,
    spuriousPackets: 5,
  };
  const rates = { sendBytesPerSecond: 1_500_000, receiveBytesPerSecond: 0, limitedBy: "pacing" } as const;
  expect(pathWords({ peer: "ben", path, figures: { ...a.figures, ...known } }, rates)).toBe(
    "path to ben: directly, 192.0.2.7:5000; why: a better kind of path; round trip 22.1 ms, at least 20.3 ms; " +
      "loss 1.5 %; now 1.50 MB/s out and 0 bytes/s in; packets up to 1452 bytes",
  );
});

test("pathWords() of a path that nothing is known of yet takes the round trip it was chosen with", () => {
  const { a } = sessionPair();
  const rates = { sendBytesPerSecond: 0, receiveBytesPerSecond: 0, limitedBy: "application" } as const;
  expect(pathWords({ peer: "ben", path: a.path, figures: { ...a.figures, rttMs: null } }, rates)).toBe(
    "path to ben: over the server, 192.0.2.1:7420; why: sessions begin here; round trip 1.00 ms; loss 0 %; " +
      "now 0 bytes/s out and 0 bytes/s in",
  );
});
