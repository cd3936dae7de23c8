import type { Village } from "../village.ts";
import { mustGoDirect } from "./blocked-scenarios.ts";
import { nameOf, reaches, withTalk } from "./reaching.ts";
import { type Case, demand, type Scenario } from "./scenario.ts";
import { sends } from "./transfer.ts";

const MINUTE_MS = 60_000;
const homes = { a: "cone", b: "cone" };

export const badLinkScenarios: readonly Scenario[] = [
  {
    number: 21,
    claim: "lost packets delay the direct path, and do not prevent it",
    aim: "direct with 10 %: p95 ≤ 700; with 30 %: p95 ≤ 2 000; with 50 %: ≤ 10 000",
    cases: [lossy(10), lossy(30), lossy(50)],
  },
  {
    number: 22,
    claim: "over a satellite they are direct, and stay so while nothing is said",
    aim: "direct: ≤ 2 500",
    cases: [
      reaches(homes, {
        name: `${nameOf(homes)}, 300 ms each way`,
        withinMs: 30_000,
        prepare: ({ lab }) => lab.delay("a", 300),
      }),
      { ...quietFor(10 * MINUTE_MS, 300), idle: true },
    ],
  },
  {
    number: 23,
    claim: "jitter and reordering make no path flap",
    aim: "movesPerMinute: ≤ 1",
    cases: [flapping()],
  },
  {
    number: 24,
    claim: "an upload that fills a slow line with a deep queue costs no path",
    cases: [bloated()],
  },
  {
    number: 25,
    claim: "a way that begins to swallow long packets costs a pause and no path",
    aim: "stall: ≤ 3 000",
    cases: [sends(homes, "1 280 bytes at most, without a word", ({ lab }) => lab.mtu("a", 1_280, true))],
  },
];

/** Up to 30 % from the start; with more, signing in takes a minute, and is not what is examined here. */
function lossy(percent: number): Case {
  const lose = ({ lab }: Village) => lab.loss("a", percent);
  return reaches(homes, {
    name: `${nameOf(homes)}, ${percent} % lost each way`,
    withinMs: MINUTE_MS,
    ...(percent > 30 ? { whenMet: lose } : { prepare: lose }),
  });
}

function quietFor(durationMs: number, delayMs: number): Case {
  return {
    name: `${nameOf(homes)}, ${delayMs} ms each way, ${durationMs / MINUTE_MS} minutes idle`,
    run: () =>
      withTalk(homes, { prepare: ({ lab }) => lab.delay("a", delayMs) }, async (_village, talk) => {
        await mustGoDirect(talk);
        await Bun.sleep(3_000);
        const before = talk.caller.moves + talk.answerer.moves;
        await Bun.sleep(durationMs);
        const moves = talk.caller.moves + talk.answerer.moves - before;
        demand(talk.isDirect && moves === 0, `the path moved ${moves} times`);
        return { afterIdle: await talk.say("after all this time") };
      }),
  };
}

function flapping(): Case {
  return {
    name: `${nameOf(homes)}, 30 ± 25 ms`,
    once: true,
    run: () =>
      withTalk(homes, { prepare: ({ lab }) => lab.delay("a", 30, 25) }, async (_village, talk) => {
        await mustGoDirect(talk);
        const before = talk.caller.moves + talk.answerer.moves;
        const stall = await talk.keepsTalking(() => Bun.sleep(MINUTE_MS));
        const movesPerMinute = talk.caller.moves + talk.answerer.moves - before;
        demand(movesPerMinute <= 4 && talk.isDirect, `the path moved ${movesPerMinute} times in a minute`);
        return { movesPerMinute, stall };
      }),
  };
}

const BLOATED_FILE_BYTES = 4 * 2 ** 20;

function bloated(): Case {
  return {
    name: `${nameOf(homes)}, 2 Mbit/s with a queue of 500 ms`,
    once: true,
    run: () =>
      withTalk(homes, { prepare: ({ lab }) => lab.rate("a", 2, 2, 500) }, async (village, talk) => {
        await mustGoDirect(talk);
        const before = talk.caller.moves + talk.answerer.moves;
        const upload = await village.file(BLOATED_FILE_BYTES);
        await using send = village.ana.start("send", upload.path, "@ben");
        const stall = await talk.keepsTalking(() => send.finished(2 * MINUTE_MS));
        demand((await send.exited) === 0 && (await upload.hasArrived()), "the file did not arrive whole");
        const moves = talk.caller.moves + talk.answerer.moves - before;
        demand(talk.isDirect && moves === 0, `the path of the chat moved ${moves} times`);
        return { stall };
      }),
  };
}
