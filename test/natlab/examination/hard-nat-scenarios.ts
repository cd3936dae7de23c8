import { Capture } from "../../support/capture.ts";
import type { Village } from "../village.ts";
import { allReach, nameOf, reaches, staysRelayed } from "./reaching.ts";
import { type Case, demand, type Scenario } from "./scenario.ts";

/** Where ports have to be found: several rounds of it. Milliseconds. */
const PREDICTED_WITHIN_MS = 15_000;
/** Ports that are random: a series of tries, a minute of rest, and a series. */
const DARK_WITHIN_MS = 100_000;
const MINUTE_MS = 60_000;
const MOST_ENTRIES = 1_400;
/** A pool of addresses looks like random ports from one address of the server: two searches, each with both ends' checks. */
const TWO_SERIES = 3_600;

const openTo = ["none", "publicfw", "cone", "cone-remap", "cone-open", "cgnat"];

export const hardNatScenarios: readonly Scenario[] = [
  {
    number: 4,
    claim: "a gateway that takes datagrams for itself spoils nothing",
    aim: "direct: p95 ≤ 700",
    cases: openTo.flatMap((b) => {
      const spec = { a: "cone-open", b };
      return [reaches(spec), ...(b === "cone-open" ? [] : [reaches(spec, { caller: "ben" })])];
    }),
  },
  {
    number: 5,
    claim: "ports that are given out in sequence are foreseen",
    aim: "direct: p95 ≤ 1 500",
    cases: allReach(
      [
        ["symmetric-seq", "cone"],
        ["symmetric-seq", "symmetric-seq"],
      ],
      { share: 0.95, withinMs: PREDICTED_WITHIN_MS },
    ),
  },
  {
    number: 6,
    claim: "ports in sequence are foreseen while another program opens 20 flows a second",
    aim: "direct: p95 ≤ 3 000",
    cases: [
      reaches({ a: "symmetric-seq", b: "cone" }, { share: 0.8, withinMs: PREDICTED_WITHIN_MS, prepare: openFlows }),
    ],
  },
  {
    number: 7,
    claim: "a NAT that gives each house a block of ports is found by a search near those seen",
    aim: "direct: p95 ≤ 3 000",
    cases: allReach(
      [
        ["symmetric-block", "cone"],
        ["cgnat,cgn=symmetric-block", "cone"],
      ],
      { share: 0.95, withinMs: PREDICTED_WITHIN_MS },
    ),
  },
  {
    number: 8,
    claim: "a NAT with random ports is found by many sockets and many tries",
    aim: "direct: median ≤ 3 000, p95 ≤ 10 000; checks: ≤ 1 200",
    cases: ["cone", "publicfw", "cgnat"].map((b) => countedReach({ a: "symmetric", b })),
  },
  {
    number: 9,
    claim: "where nothing sane helps, the session stays over the server and is quiet about it",
    aim: "firstByte: ≤ 300 over UDP; datagrams: ≤ 200 in the first minute, ≤ 20 in each after",
    cases: [quietly("symmetric", "symmetric", 200, 20), quietly("symmetric-pool", "cone", TWO_SERIES, TWO_SERIES)],
  },
  {
    number: 10,
    claim: "a router that opens a port on request makes them direct, whatever the other one is",
    aim: "direct: p95 ≤ 1 500",
    cases: allReach([
      ["cone,upnp", "symmetric"],
      ["symmetric,upnp", "symmetric"],
    ]),
  },
  {
    number: 11,
    claim: "one that cannot, because a carrier's NAT stands in front, does no harm",
    aim: "direct: p95 ≤ 500",
    cases: allReach([["cgnat,upnp", "cone"]]),
  },
  {
    number: 43,
    claim: "the search for random ports leaves room in the other router's tables",
    aim: "entries: ≤ 1 300",
    cases: [
      reaches(
        { a: "symmetric", b: "cone" },
        {
          share: 0.95,
          withinMs: DARK_WITHIN_MS,
          after: async ({ lab }) => {
            const entries = Number((await lab.exec("b-router", "conntrack", "-C")).stdout);
            demand(entries > 0 && entries <= MOST_ENTRIES, `${entries} entries in the router's table`);
            return { entries };
          },
        },
      ),
    ],
  },
];

/** Opens flows through Ana's router for as long as the village stands. */
async function openFlows({ lab }: Village): Promise<void> {
  const flows = `
    let port = 20000;
    setInterval(async () => {
      const socket = await Bun.udpSocket({ hostname: "0.0.0.0", socket: { error() {} } });
      socket.send("x", port++, "${lab.serverIp2}");
      setTimeout(() => socket.close(), 1_000);
    }, 50);
    console.log("ready");
  `;
  const child = Bun.spawn([...lab.inside("a"), process.execPath, "-e", flows], { stdin: "ignore", stdout: "pipe" });
  await child.stdout.getReader().read();
}

/** How many datagrams the side that knows its port sends to the other. */
function countedReach(spec: { readonly a: string; readonly b: string }): Case {
  return {
    name: nameOf(spec),
    share: 0.95,
    run: async () => {
      let checks = 0;
      let capture: Capture | null = null;
      const counted = reaches(spec, {
        withinMs: DARK_WITHIN_MS,
        prepare: async ({ lab }) =>
          void (capture = await Capture.start(toward(lab.publicIp("a")), lab.inside("b-router"))),
        after: async () => void (checks = (await capture?.stop())?.length ?? 0),
      });
      const figures = await counted.run();
      return { ...figures, checks };
    },
  };
}

function toward(address: string): string {
  return `udp and inbound and dst host ${address}`;
}

/** Counts what the two send to each other, from their first packet on. */
function quietly(a: string, b: string, mostInFirst: number, mostInSecond: number): Case {
  let counts: Promise<readonly number[]>;
  return staysRelayed(
    { a, b },
    {
      withinMs: 2 * MINUTE_MS,
      prepare: async (village) => void (counts = countMinutes(village, await captureBetween(village))),
      after: async () => {
        const [first = -1, second = -1] = await counts;
        demand(first >= 0 && first <= mostInFirst, `${first} datagrams in the first minute`);
        demand(second >= 0 && second <= mostInSecond, `${second} datagrams in the second minute`);
        return { datagramsFirstMinute: first, datagramsSecondMinute: second };
      },
    },
  );
}

async function captureBetween({ lab }: Village): Promise<Capture> {
  const others = `inbound and udp and not host ${lab.serverIp} and not host ${lab.serverIp2}`;
  return await Capture.start(others, lab.inside("core"));
}

async function countMinutes(village: Village, first: Capture): Promise<readonly number[]> {
  await Bun.sleep(MINUTE_MS);
  await using second = await captureBetween(village);
  const before = (await first.stop()).length;
  await Bun.sleep(MINUTE_MS);
  return [before, (await second.stop()).length];
}
