import { allReach, reaches, staysRelayed } from "./reaching.ts";
import { demand, type Scenario } from "./scenario.ts";

export const directScenarios: readonly Scenario[] = [
  {
    number: 1,
    claim: "homes and public addresses reach each other",
    aim: "direct: p95 ≤ 500",
    cases: allReach([
      ["none", "none"],
      ["publicfw", "publicfw"],
      ["fullcone", "cone"],
      ["arcone", "arcone"],
      ["cone", "cone"],
      ["cone-remap", "cone"],
    ]),
  },
  {
    number: 2,
    claim: "a carrier's NAT in front changes nothing",
    aim: "direct: p95 ≤ 500",
    cases: allReach([
      ["cgnat", "cgnat"],
      ["cgnat", "cone"],
    ]),
  },
  {
    number: 3,
    claim: "a symmetric NAT reaches whoever lets its address in",
    aim: "direct: p95 ≤ 600",
    cases: allReach([
      ["symmetric", "none"],
      ["symmetric", "fullcone"],
      ["symmetric", "arcone"],
      ["cgnat-symmetric", "arcone"],
    ]),
  },
  {
    number: 12,
    claim: "IPv6 carries them past any IPv4 NAT",
    aim: "direct: p95 ≤ 500",
    cases: allReach([["symmetric,stack=dual", "cgnat-symmetric,stack=dual"]]),
  },
  {
    number: 13,
    claim: "IPv6 alone does, and who has no family in common is told so",
    cases: [reaches({ a: "cone,stack=v6", b: "cone,stack=v6" }), staysRelayed({ a: "cone,stack=v6", b: "cone" })],
  },
  {
    number: 14,
    claim: "an IPv6 firewall is no wall between them",
    cases: allReach([["upnp,stack=dual,v6=fw", "none,stack=v6,v6=fw"]]),
  },
  {
    number: 15,
    claim: "two in one LAN talk inside it, and go on when the server is gone",
    aim: "direct: ≤ 300",
    cases: [
      reaches(
        { a: "cone", b: "same-lan" },
        {
          kind: "lan",
          after: async ({ lab }, talk) => {
            await lab.block("a", "server");
            return { withoutServer: await talk.say("without the server") };
          },
        },
      ),
    ],
  },
  {
    number: 16,
    claim: "two behind one NAT are direct when it turns them round",
    cases: [
      staysRelayed({ a: "cone", b: "same-nat" }),
      reaches({ a: "cone,hairpin", b: "same-nat" }),
      staysRelayed({ a: "cgnat", b: "same-cgnat" }),
      reaches({ a: "cgnat,hairpin", b: "same-cgnat" }),
    ],
  },
  {
    number: 17,
    claim: "homes with the same private addresses are not mistaken for each other",
    cases: [
      reaches(
        { a: "cone", b: "cone", overlap: true },
        {
          kind: "direct",
          after: async ({ lab }, talk) => {
            const ends = [talk.caller.remote, talk.answerer.remote].map((remote) => remote.replace(/:\d+$/, ""));
            demand(
              ends[0] === lab.publicIp("b") && ends[1] === lab.publicIp("a"),
              `the path goes to ${ends.join(" and ")}`,
            );
          },
        },
      ),
    ],
  },
];
