import { expect, test } from "bun:test";
import type { PathInfo, PeerSession } from "../../../../../src/modes/peer/peer-session.ts";
import { ReceivingLimit, SendingLimit } from "../../../../../src/modes/peer/transfer/limit.ts";
import type { LimitTimes } from "../../../../../src/wire/session/limit-clock.ts";
import { sessionPair } from "../../../../support/session-pair.ts";

/** A session whose clock of reasons is wound by hand. */
function wound(path: Partial<PathInfo> = {}) {
  const { a } = sessionPair();
  let [now, times] = [0, a.figures.limitTimes];
  const session: Pick<PeerSession, "figures" | "path"> = {
    path: { ...a.path, ...path },
    get figures() {
      return { ...a.figures, limitTimes: times };
    },
  };
  const spend = (reason: keyof LimitTimes, ms: number): void => {
    now += ms;
    times = { ...times, [reason]: times[reason] + ms };
  };
  spend("pacing", 60_000); // before the transfer, hence not its business
  const limit = new SendingLimit(session, () => now);
  return { limit, spend };
}

test("SendingLimit names what took longest", () => {
  const { limit, spend } = wound();
  spend("application", 400);
  spend("window", 300);
  spend("pacing", 300);
  limit.allSent();
  expect(limit.verdict).toBe("network");
});

test("SendingLimit counts the wait for credit, and for the last word, as their disk", () => {
  const { limit, spend } = wound();
  spend("application", 500);
  spend("credit", 300);
  limit.allSent();
  spend("application", 300);
  expect(limit.verdict).toBe("their-disk");
});

test("SendingLimit names our disk when it gave too little", () => {
  const { limit, spend } = wound();
  spend("application", 900);
  spend("credit", 300);
  limit.allSent();
  expect(limit.verdict).toBe("our-disk");
});

test("SendingLimit names the relay limit on a path whose server said that it limits", () => {
  for (const [path, verdict] of [
    [{ kind: "relay-ws", relayBytesPerSecond: 300_000 }, "relay-limit"],
    [{ kind: "relay-ws" }, "network"],
    [{ kind: "direct", relayBytesPerSecond: 300_000 }, "network"],
  ] as const) {
    const { limit, spend } = wound(path);
    spend("window", 2_000);
    limit.allSent();
    expect(limit.verdict).toBe(verdict);
  }
});

test("SendingLimit tells nothing of less than a second", () => {
  const { limit, spend } = wound();
  spend("credit", 999);
  limit.allSent();
  expect(limit.verdict).toBe("too-short");
});

test("ReceivingLimit names our disk when it kept us waiting for half of the time", async () => {
  let now = 0;
  const limit = new ReceivingLimit(() => now);
  now = 600;
  await limit.disk(Promise.resolve().then(() => (now += 600)));
  expect(limit.verdict).toBe("our-disk");
  now = 2_000;
  expect(limit.verdict).toBe("network-or-their-disk");
});

test("ReceivingLimit counts a wait that ended in failure, and tells nothing of less than a second", async () => {
  let now = 0;
  const limit = new ReceivingLimit(() => now);
  const failing = Promise.resolve().then(() => {
    now = 900;
    throw new Error("the disk failed");
  });
  await expect(limit.disk(failing)).rejects.toThrow("the disk failed");
  expect(limit.verdict).toBe("too-short");
  now = 1_000;
  expect(limit.verdict).toBe("our-disk");
});
