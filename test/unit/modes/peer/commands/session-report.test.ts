import { expect, test } from "bun:test";
import type { CliEvent } from "../../../../../src/modes/cli/events.ts";
import { reportSession } from "../../../../../src/modes/peer/commands/session-report.ts";
import type { Reason } from "../../../../../src/modes/peer/path-reasons.ts";
import type { PeerSession } from "../../../../../src/modes/peer/peer-session.ts";
import { sessionPair } from "../../../../support/session-pair.ts";

/** Everything told of a session that the server carries for this reason, from its beginning to its end. */
async function told(relayedBecause: Reason | null): Promise<readonly CliEvent[]> {
  const { a } = sessionPair();
  const session: PeerSession = Object.defineProperty(a, "relayedBecause", { value: relayedBecause });
  const events: CliEvent[] = [];
  reportSession(session, { event: (event) => void events.push(event) }, false);
  await session.close("peer-gone", "finished");
  await session.ended;
  return events;
}

test("reportSession() says at once and at the end why the server carries a session, where that is known", async () => {
  const events = await told({
    cause: "UDP is blocked on their side",
    remedy: "another network would help",
    isFinal: true,
  });
  expect(events.map(({ event }) => event)).toEqual(["connected", "path", "closed"]);
  expect(events.at(-1)).toMatchObject({ reason: "finished", path: "relay-ws", why: "UDP is blocked on their side" });
});

test("reportSession() says nothing of the kind while a direct path is looked for", async () => {
  const events = await told(null);
  expect(events.map(({ event }) => event)).toEqual(["connected", "closed"]);
  expect(events.at(-1)).not.toHaveProperty("why");
});
