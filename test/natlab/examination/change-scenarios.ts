import { Capture } from "../../support/capture.ts";
import type { Lab, LabSpec } from "../../support/natlab.ts";
import type { Village } from "../village.ts";
import { mustGoDirect } from "./blocked-scenarios.ts";
import { settleFarApart } from "./meeting.ts";
import { nameOf, withTalk } from "./reaching.ts";
import { type Case, demand, type Scenario } from "./scenario.ts";
import { Talk } from "./talk.ts";
import { sends } from "./transfer.ts";

const MINUTE_MS = 60_000;
/** Many times what is aimed at. Milliseconds. */
const BACK_WITHIN_MS = 30_000;
const ASLEEP_MS = 60_000;
const KEEPALIVES = 20;
const CALM_MINUTES = 5;
const FAMILY_WITHIN_MS = 2 * MINUTE_MS;
const homes = { a: "cone", b: "cone" };
const dual = { a: "cone,stack=dual", b: "cone,stack=dual" };
const moving: readonly LabSpec[] = [
  homes,
  { a: "fullcone", b: "cone" },
  { a: "cgnat", b: "cone" },
  { a: "symmetric", b: "none" },
];

export const changeScenarios: readonly Scenario[] = [
  {
    number: 26,
    claim: "who says nothing for ten minutes still has a direct path, for a few datagrams",
    aim: "afterIdle: ≤ 150; datagramsPerMinute: ≤ 10 each way",
    cases: [silent(10)],
  },
  {
    number: 27,
    claim: "routers that forget a mapping after 10 s cost no path while nothing is said",
    cases: [forgetful()],
  },
  {
    number: 28,
    claim: "a router that restarts, or gets another address, is no more than a short pause",
    aim: "stall: ≤ 1 000; directAgain: ≤ 2 000",
    cases: [
      ...moving.flatMap((spec) => (["port", "ip", "flush"] as const).map((how) => rebound(spec, how))),
      sends(homes, "rebind port", ({ lab }) => lab.rebind("a", "port")),
      sends(homes, "rebind ip", ({ lab }) => lab.rebind("a", "ip")),
      sends(homes, "rebind ip of who receives", ({ lab }) => lab.rebind("b", "ip")),
    ],
  },
  {
    number: 29,
    claim: "so are both routers' new addresses at once",
    aim: "stall: ≤ 3 000; directAgain: ≤ 3 000",
    cases: [
      changes(homes, "both get new addresses", async ({ lab }) => {
        await Promise.all([lab.rebind("a", "ip"), lab.rebind("b", "ip")]);
      }),
    ],
  },
  {
    number: 30,
    claim: "and a new address of one's own",
    aim: "stall: ≤ 1 000; directAgain: ≤ 2 000",
    cases: [
      ...[...moving, { a: "none", b: "cone" }, { a: "none", b: "none" }].map((spec) =>
        changes(spec, "roam", ({ lab }) => lab.roam("a")),
      ),
      sends(homes, "roam", ({ lab }) => lab.roam("a")),
    ],
  },
  {
    number: 31,
    claim: "when IPv6 dies IPv4 takes over, and the other way round",
    aim: "stall: ≤ 1 500",
    cases: [familyDies("v6", "v4"), familyDies("v4", "v6")],
  },
  {
    number: 32,
    claim: "a network that is away for a while is used again when it is back, without anybody's doing",
    aim: "usable: ≤ 1 000 after 5 s, ≤ 3 000 after 60 s, ≤ 5 000 after 10 minutes",
    cases: [away(5), { ...away(60), idle: true }, { ...away(600), idle: true }],
  },
  {
    number: 33,
    claim: "a server that starts again goes unnoticed on a direct path, and does not end a relayed session",
    aim: "stall: ≤ 5 000 relayed",
    cases: [
      serverRestarts(homes),
      serverRestarts({ a: "udpblocked", b: "cone" }),
      sends(homes, "server restarted", (village) => village.restartServer()),
      sends({ a: "udpblocked", b: "cone" }, "server restarted", (village) => village.restartServer()),
    ],
  },
  {
    number: 34,
    claim: "a program that slept goes on, and one that ended is not waited for",
    aim: "usable: ≤ 3 000; known: ≤ 30 000 killed, ≤ 1 000 with a goodbye",
    cases: [
      sleeps(),
      ends("SIGKILL", ({ answerer }) => !answerer.isDirect),
      ends("SIGTERM", ({ answerer }) => answerer.isClosed),
    ],
  },
  {
    number: 35,
    claim: "a session that had to be relayed becomes direct when the way is free",
    aim: "direct: ≤ 15 000",
    cases: [becomesFree()],
  },
  {
    number: 36,
    claim: "a better path that appears is taken without loss, and equal ones do not take turns",
    aim: "lan: ≤ 5 000",
    cases: [
      cableAppears(),
      sends(homes, "joined by a cable", ({ lab }) => plugCable(lab, 1)),
      { ...equalPaths(), idle: true },
    ],
  },
];

/** They talk all the time, on a direct path, while something happens; and are direct again. */
function changes(spec: LabSpec, what: string, change: (village: Village, talk: Talk) => Promise<unknown>): Case {
  return {
    name: `${nameOf(spec)}, ${what}`,
    run: () =>
      withTalk(spec, {}, async (village, talk) => {
        await mustGoDirect(talk);
        await Bun.sleep(500);
        let directAgain = Number.NaN;
        const stall = await talk.keepsTalking(async () => {
          const since = performance.now();
          await change(village, talk);
          const caughtUpAt = await talk.catchesUp(BACK_WITHIN_MS);
          if (caughtUpAt === null) throw talk.failure("lines do not come any more");
          if (!(await talk.comes(() => talk.isDirect, BACK_WITHIN_MS))) throw talk.failure("no direct path came again");
          directAgain = Math.round(Math.max(talk.caller.movedAt, talk.answerer.movedAt, caughtUpAt) - since);
          await Bun.sleep(1_000);
        });
        return { stall, directAgain };
      }),
  };
}

function silent(minutes: number): Case {
  return {
    name: `${nameOf(homes)}, ${minutes} minutes idle`,
    idle: true,
    run: () =>
      withTalk(homes, {}, async ({ lab }, talk) => {
        await mustGoDirect(talk);
        await Bun.sleep((minutes - 1) * MINUTE_MS);
        const between = `inbound and udp and src host ${lab.publicIp("a")} and dst host ${lab.publicIp("b")}`;
        await using capture = await Capture.start(between, lab.inside("core"));
        await Bun.sleep(MINUTE_MS);
        const datagramsPerMinute = (await capture.stop()).length;
        demand(talk.isDirect, "the direct path was left");
        demand(datagramsPerMinute <= KEEPALIVES, `${datagramsPerMinute} datagrams in a silent minute`);
        return { afterIdle: await talk.say("after all this time"), datagramsPerMinute };
      }),
  };
}

function rebound(spec: LabSpec, how: "port" | "ip" | "flush"): Case {
  return changes(spec, `rebind ${how}`, ({ lab }) => lab.rebind("a", how));
}

function forgetful(): Case {
  const spec = { a: "short-timeout", b: "short-timeout" };
  return {
    name: `${nameOf(spec)}, 2 minutes idle`,
    idle: true,
    run: () =>
      withTalk(spec, {}, async (_village, talk) => {
        await mustGoDirect(talk);
        await Bun.sleep(2 * MINUTE_MS);
        const afterIdle = await talk.say("after all this time");
        const since = performance.now();
        await mustGoDirect(talk);
        return { afterIdle, directAgain: Math.round(performance.now() - since) };
      }),
  };
}

function isFamily(remote: string, family: "v4" | "v6"): boolean {
  return remote.startsWith("[") === (family === "v6");
}

function onFamily(talk: Talk, family: "v4" | "v6"): boolean {
  return talk.isDirect && [talk.caller, talk.answerer].every(({ remote }) => isFamily(remote, family));
}

/** The family that is used dies; they meet while there is no way between them over the other one. */
function familyDies(first: "v4" | "v6", then: "v4" | "v6"): Case {
  return {
    name: `${nameOf(dual)}, ${first} dies`,
    run: () =>
      withTalk(dual, { prepare: ({ lab }) => separate(lab, then) }, async ({ lab }, talk) => {
        if (!(await talk.comes(() => onFamily(talk, first), BACK_WITHIN_MS)))
          throw talk.failure(`not direct over IP${first}`);
        await reunite(lab);
        const stall = await talk.keepsTalking(async () => {
          await separate(lab, first);
          if (!(await talk.comes(() => onFamily(talk, then), FAMILY_WITHIN_MS)))
            throw talk.failure(`not direct over IP${then}`);
        });
        return { stall };
      }),
  };
}

/** Between the two nothing of that family goes through; to the server it does. */
async function separate(lab: Lab, family: "v4" | "v6"): Promise<void> {
  const word = family === "v4" ? "ip" : "ip6";
  const server = family === "v4" ? `{ ${lab.serverIp}, ${lab.serverIp2} }` : "2001:db8:0:5::/64";
  const rule = `${word} saddr != ${server} ${word} daddr != ${server} meta nfproto ip${family} drop`;
  const chain = `  chain f { type filter hook forward priority -10; ${rule}; }`;
  const { exitCode, stderr } = await lab.exec("core", "nft", `table inet separation {\n${chain}\n}`);
  demand(exitCode === 0, `nft: ${stderr}`);
}

async function reunite(lab: Lab): Promise<void> {
  await lab.exec("core", "nft", "delete table inet separation");
}

function away(seconds: number): Case {
  return {
    name: `${nameOf(homes)}, away for ${seconds} s`,
    run: () =>
      withTalk(homes, {}, async ({ lab }, talk) => {
        await mustGoDirect(talk);
        await lab.block("a", "all");
        let since = 0;
        const usable = await talk.sayDuring("said while nothing went through", async () => {
          await Bun.sleep(seconds * 1_000);
          since = performance.now();
          await lab.unblock("a");
        });
        await mustGoDirect(talk);
        return { usable, directAgain: Math.round(performance.now() - since) };
      }),
  };
}

function serverRestarts(spec: LabSpec): Case {
  return {
    name: nameOf(spec),
    run: () =>
      withTalk(spec, {}, async (village, talk) => {
        const isDirect = (await talk.goesDirect(3_000)) !== null;
        const { moves } = talk.caller;
        const stall = await talk.keepsTalking(async () => {
          await village.restartServer();
          await Bun.sleep(3_000);
        });
        demand(!isDirect || (talk.isDirect && talk.caller.moves === moves), "the direct path was left");
        return { stall };
      }),
  };
}

function sleeps(): Case {
  return {
    name: `${nameOf(homes)}, stopped for ${ASLEEP_MS / 1_000} s`,
    idle: true,
    run: () =>
      withTalk(homes, {}, async (_village, talk) => {
        await mustGoDirect(talk);
        talk.answerer.program.signal("SIGSTOP");
        const usable = await talk.sayDuring("said to one asleep", async () => {
          await Bun.sleep(ASLEEP_MS);
          talk.answerer.program.signal("SIGCONT");
        });
        const since = performance.now();
        await mustGoDirect(talk);
        return { usable, directAgain: usable + Math.round(performance.now() - since) };
      }),
  };
}

/** The caller's program ends; nobody is left to end the talk with. */
function ends(signal: "SIGKILL" | "SIGTERM", isKnown: (talk: Talk) => boolean): Case {
  return {
    name: `${nameOf(homes)}, ${signal}`,
    once: true,
    run: async () => {
      await using village = await settleFarApart(homes);
      await using talk = await Talk.begin(village);
      await mustGoDirect(talk);
      const since = performance.now();
      await talk.leave(signal);
      if (!(await talk.comes(() => isKnown(talk), MINUTE_MS))) throw talk.failure("nobody noticed");
      return { known: Math.round(performance.now() - since) };
    },
  };
}

function becomesFree(): Case {
  return {
    name: `${nameOf(homes)}, the way between them blocked for the first 5 s`,
    run: () =>
      withTalk(homes, { prepare: ({ lab }) => lab.block("a", "peers") }, async ({ lab }, talk) => {
        await Bun.sleep(5_000);
        demand(!talk.caller.isDirect, "a direct path came through a block");
        const since = performance.now();
        await lab.unblock("a");
        await mustGoDirect(talk);
        return { direct: Math.round(performance.now() - since) };
      }),
  };
}

function cableAppears(): Case {
  return {
    name: `${nameOf(homes)}, joined by a cable`,
    run: () =>
      withTalk(homes, {}, async ({ lab }, talk) => {
        await mustGoDirect(talk);
        let lan = Number.NaN;
        const isLan = () => talk.caller.kind === "lan" && talk.answerer.kind === "lan";
        const stall = await talk.keepsTalking(async () => {
          const since = performance.now();
          await plugCable(lab, 1);
          if (!(await talk.comes(isLan, BACK_WITHIN_MS))) throw talk.failure("the cable is not used");
          lan = Math.round(performance.now() - since);
        });
        return { lan, stall };
      }),
  };
}

function equalPaths(): Case {
  const plugTwo = async ({ lab }: Village) => {
    await plugCable(lab, 1);
    await plugCable(lab, 2);
  };
  return {
    name: `${nameOf(homes)}, joined by two cables, ${CALM_MINUTES} minutes`,
    run: () =>
      withTalk(homes, { prepare: plugTwo }, async (_village, talk) => {
        await mustGoDirect(talk);
        await Bun.sleep(10_000);
        const before = talk.caller.moves + talk.answerer.moves;
        await Bun.sleep(CALM_MINUTES * MINUTE_MS);
        const moves = talk.caller.moves + talk.answerer.moves - before;
        demand(moves <= CALM_MINUTES, `the path moved ${moves} times`);
        return { moves };
      }),
  };
}

/** A wire of its own between both computers. */
async function plugCable(lab: Lab, number: number): Promise<void> {
  const name = `cable${number}`;
  await ip(lab, "a", "link", "add", name, "type", "veth", "peer", "name", name, "netns", lab.namespace("b"));
  for (const [index, side] of (["a", "b"] as const).entries()) {
    await ip(lab, side, "address", "add", `192.168.${70 + number}.${1 + index}/24`, "dev", name);
    await ip(lab, side, "link", "set", name, "up");
  }
}

async function ip(lab: Lab, side: "a" | "b", ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await lab.exec(side, "ip", ...args);
  demand(exitCode === 0, `ip ${args.join(" ")}: ${stderr}`);
}
