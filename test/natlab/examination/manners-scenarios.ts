import { readdir, readFile } from "node:fs/promises";
import { utf8 } from "../../../src/wire/bytes.ts";
import { Capture } from "../../support/capture.ts";
import { found, readable, type Secret } from "../../support/clear-text.ts";
import type { Person } from "../../support/community.ts";
import type { Lab } from "../../support/natlab.ts";
import type { Village } from "../village.ts";
import { mustGoDirect } from "./blocked-scenarios.ts";
import { settleFarApart } from "./meeting.ts";
import { nameOf, reaches, withTalk } from "./reaching.ts";
import { type Case, demand, type Figures, type Scenario } from "./scenario.ts";
import { type Couple, Talk } from "./talk.ts";

const homes = { a: "cone", b: "cone" };
const WITHIN_MS = 30_000;
const RUBBISH_SECONDS = 4;
const SESSIONS = 100;
const FIRST_SESSIONS = 10;

export const mannersScenarios: readonly Scenario[] = [
  { number: 37, claim: "nothing readable goes over the line", cases: [nothingReadable()] },
  {
    number: 38,
    claim: "the server answers no rubbish",
    aim: "cpuPercent: < 5 at 10 000 datagrams a second",
    cases: [rubbish()],
  },
  { number: 42, claim: "reports that the way is blocked are no reason to leave it", cases: [reports()] },
  {
    number: 45,
    claim: "four people reach each other at once",
    aim: "slowest: ≤ 1 000",
    cases: [crowd()],
  },
  {
    number: 46,
    claim: "it does not matter for how long one has been waiting for the other",
    aim: "direct: p95 ≤ 500",
    cases: [0, 1, 5, 60].map((seconds) => ({
      ...reaches(homes, { name: `${nameOf(homes)}, after ${seconds} s`, waitMs: seconds * 1_000 }),
      ...(seconds > 5 && { idle: true as const }),
    })),
  },
  { number: 47, claim: "a hundred sessions leave nothing behind", cases: [hundred()] },
];

function nothingReadable(): Case {
  return {
    name: nameOf(homes),
    once: true,
    run: async () => {
      await using village = await settleFarApart(homes);
      const { lab } = village;
      await using capture = await Capture.start("udp or tcp", lab.inside("core"));
      await using talk = await Talk.begin(village);
      await mustGoDirect(talk);
      await talk.say("telltale words of a chat");
      await talk.end();
      const text = readable(await capture.stop());
      const texts = ["telltale words of a chat", "the first line", "correct horse ana", lab.ip("a"), lab.ip("b")];
      const secrets: Secret[] = texts.map((name) => ({ name, bytes: utf8(name) }));
      for (const side of ["a", "b"] as const) {
        const bytes = Uint8Array.from(lab.ip(side).split("."), Number);
        secrets.push({ name: `the address of ${side}`, bytes });
      }
      const told = found(secrets, text);
      demand(text.length > 0 && told.length === 0, `readable on the line: ${told.join(", ")}`);
      return {};
    },
  };
}

/** A stranger sends the server random datagrams of all lengths, 10 000 a second. */
function rubbish(): Case {
  const spec = { a: "none", b: "cone" };
  return {
    name: "none, 10 000 datagrams a second",
    once: true,
    run: async () => {
      await using village = await settleFarApart(spec);
      const { lab } = village;
      await lab.delay("a", 0);
      await using capture = await Capture.start(`udp and src host ${lab.serverIp}`, lab.inside("server"));
      const before = await cpuTicks(village.serverPid);
      const since = performance.now();
      const { stdout } = await lab.exec("a", process.execPath, "-e", flood(lab.serverIp));
      const cpuPercent = ((await cpuTicks(village.serverPid)) - before) / ((performance.now() - since) / 1_000);
      const answers = (await capture.stop()).length;
      demand(Number(stdout) > 0, "nothing was sent");
      demand(answers === 0, `the server answered ${answers} times`);
      return { datagramsSent: Number(stdout), cpuPercent };
    },
  };
}

const flood = (ip: string) => `
  const socket = await Bun.udpSocket({ hostname: "0.0.0.0" });
  const bytes = crypto.getRandomValues(new Uint8Array(2_048));
  const ends = performance.now() + ${RUBBISH_SECONDS * 1_000};
  let sent = 0;
  while (performance.now() < ends) {
    for (let n = 0; n < 50; n++) {
      const at = Math.floor(Math.random() * 800);
      if (socket.send(bytes.subarray(at, at + Math.floor(Math.random() * 1_200)), 7420 + (n & 1), "${ip}")) sent++;
    }
    await Bun.sleep(5);
  }
  console.log(sent);
  process.exit(0);
`;

/** Of user and kernel, in hundredths of a second. */
async function cpuTicks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "latin1")).replace(/^.*\) /, "").split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Some packets of the path are refused on the way with ICMP, in both directions. */
function reports(): Case {
  return {
    name: nameOf(homes),
    run: () =>
      withTalk(homes, {}, async ({ lab }, talk) => {
        await mustGoDirect(talk);
        const { moves } = talk.caller;
        const stall = await talk.keepsTalking(async () => {
          await refuseSome(lab);
          await Bun.sleep(5_000);
        });
        demand(talk.isDirect && talk.caller.moves === moves, "the path was left");
        return { stall };
      }),
  };
}

async function refuseSome(lab: Lab): Promise<void> {
  const between = `udp sport != 7420-7421 udp dport != 7420-7421 limit rate 3/second burst 1 packets reject`;
  const chain = `chain f { type filter hook forward priority -10; ${between}; }`;
  const { exitCode, stderr } = await lab.exec("core", "nft", `table inet refusal {\n${chain}\n}`);
  demand(exitCode === 0, `nft: ${stderr}`);
}

function crowd(): Case {
  const spec = { a: "cone", b: "same-lan", c: "none", d: "cone-remap" };
  return {
    name: "cone, same-lan, none and cone-remap",
    run: async () => {
      await using village = await settleFarApart(spec);
      const people = [
        village.ana,
        village.ben,
        await village.newcomer("cleo", "c"),
        await village.newcomer("dora", "d"),
      ];
      const couples = people.flatMap((ana, index) => people.slice(index + 1).map((ben): Couple => ({ ana, ben })));
      const times = await Promise.all(couples.map(meetInCrowd));
      return { slowest: Math.max(...times) };
    },
  };
}

async function meetInCrowd(couple: Couple): Promise<number> {
  await using talk = await Talk.begin(couple, { answererFlags: ["--from", couple.ana.name] });
  const direct = await talk.goesDirect(WITHIN_MS);
  if (direct === null) throw talk.failure(`${couple.ana.name} and ${couple.ben.name} did not come to a direct path`);
  await talk.say("over the direct path");
  await talk.end();
  return direct;
}

function hundred(): Case {
  return {
    name: nameOf(homes),
    once: true,
    run: async (): Promise<Figures> => {
      await using village: Village = await settleFarApart(homes);
      const { ana, ben } = village;
      await using receiver = await ben.receiving();
      await chats(ana, FIRST_SESSIONS);
      const before = await holdings(receiver.pid);
      await chats(ana, SESSIONS - FIRST_SESSIONS);
      const after = await holdings(receiver.pid);
      demand(after.files <= before.files + 2, `${after.files} open files and sockets after, ${before.files} before`);
      demand(after.megabytes <= before.megabytes + 60, `${after.megabytes} MB after, ${before.megabytes} before`);
      const came = receiver.events.filter(({ event }) => event === "message").length;
      demand(came === SESSIONS, `${came} of ${SESSIONS} lines came`);
      return { megabytesBefore: before.megabytes, megabytesAfter: after.megabytes };
    },
  };
}

async function chats(ana: Person, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
    await chat.waitFor("path", ({ kind }) => kind === "direct");
    chat.endInput("one line\n");
    demand((await chat.exited) === 0, `a chat ended badly: ${chat.stdout}${chat.stderr}`);
  }
}

async function holdings(pid: number): Promise<{ readonly files: number; readonly megabytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, "latin1");
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return { files: (await readdir(`/proc/${pid}/fd`)).length, megabytes: Math.round(kilobytes / 1_000) };
}
