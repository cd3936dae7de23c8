import type { LabSpec } from "../../support/natlab.ts";
import { nameOf, reaches, staysRelayed, withTalk } from "./reaching.ts";
import { type Case, demand, type Scenario } from "./scenario.ts";
import type { Talk } from "./talk.ts";
import { sends } from "./transfer.ts";

/** To see that nothing waits for UDP to be given up. Milliseconds. */
const AT_ONCE_MS = 3_000;
const WITHIN_MS = 30_000;

export const blockedScenarios: readonly Scenario[] = [
  {
    number: 18,
    claim: "without UDP they talk at once, over the server's TCP port",
    aim: "firstByte: ≤ 600",
    cases: [
      overTcp({ a: "udpblocked", b: "cone" }),
      overTcp({ a: "udpblocked,reject", b: "cone" }),
      overTcp({ a: "udpblocked443", b: "udpblocked443" }, 443),
    ],
  },
  {
    number: 19,
    claim: "UDP blocked in the middle of a session moves it to the server, and back when it is free again",
    aim: "stall: ≤ 2 000; directAgain: ≤ 15 000",
    cases: [
      blockedMeanwhile(),
      sends({ a: "cone", b: "cone" }, "UDP blocked", ({ lab }) => lab.block("a", "udp")),
      sends({ a: "cone", b: "cone" }, "UDP blocked for 5 s", async ({ lab }) => {
        await lab.block("a", "udp");
        await Bun.sleep(5_000);
        await lab.unblock("a");
      }),
    ],
  },
  {
    number: 20,
    claim: "without the server's UDP, what is direct stays so, and a direct path is still looked for",
    cases: [
      reaches(
        { a: "cone", b: "cone" },
        {
          name: "cone × cone, blocked in mid-session",
          after: async ({ lab }, talk) => {
            const { moves } = talk.caller;
            await lab.block("a", "server-udp");
            const stall = await talk.keepsTalking(() => Bun.sleep(5_000));
            demand(talk.isDirect && talk.caller.moves === moves, "the path was left");
            return { stall };
          },
        },
      ),
      reaches(
        { a: "cone", b: "none" },
        { name: "cone × none, blocked before", prepare: ({ lab }) => lab.block("a", "server-udp") },
      ),
    ],
  },
];

function overTcp(spec: LabSpec, port?: number): Case {
  return staysRelayed(spec, {
    ...(port !== undefined && { port }),
    withinMs: AT_ONCE_MS,
    after: async (_village, talk) => {
      for (const { kind } of [talk.caller, talk.answerer]) demand(kind === "relay-ws", `the path is ${kind}`);
    },
  });
}

function blockedMeanwhile(): Case {
  const spec = { a: "cone", b: "cone" };
  return {
    name: nameOf(spec),
    run: () =>
      withTalk(spec, {}, async ({ lab }, talk) => {
        await mustGoDirect(talk);
        const stall = await talk.keepsTalking(async () => {
          await lab.block("a", "udp");
          if (!(await talk.comes(() => !talk.caller.isDirect && !talk.answerer.isDirect, WITHIN_MS)))
            throw talk.failure("the session did not move to the server");
        });
        const since = performance.now();
        await lab.unblock("a");
        await mustGoDirect(talk);
        return { stall, directAgain: Math.round(performance.now() - since) };
      }),
  };
}

export async function mustGoDirect(talk: Talk): Promise<void> {
  if ((await talk.goesDirect(WITHIN_MS)) === null) throw talk.failure("no direct path came");
}
