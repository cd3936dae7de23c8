import { expect, test } from "bun:test";
import type { PairReportEvent, ReportEvent } from "../../../../src/modes/cli/events.ts";
import { pairTable, reportTable } from "../../../../src/modes/cli/report-table.ts";
import { mappingKinds } from "../../../../src/wire/traversal/mapping.ts";

const report: ReportEvent = {
  event: "report",
  verdict: "direct connections work with almost everybody: the NAT keeps one port for all destinations",
  allows: "good",
  udp: "works",
  udpAsked: 5,
  udpAnswered: 4,
  udpRttMs: 12.34,
  ipv4: "translated",
  ipv6: "none",
  mapping: "independent",
  mappingStep: 0,
  filtering: "unknown",
  portMapping: "mapped",
  portMappers: [
    { protocol: "pcp", state: "unsupported" },
    { protocol: "nat-pmp", state: "mapped" },
    { protocol: "upnp", state: "unwanted" },
  ],
  hairpin: false,
  mtuBytes: 1_500,
  server: "chat.example:7420",
  reached: true,
  relayRttMs: 11.9,
  relays: true,
  serverClockSeconds: 0,
  proxy: null,
};

/** The text behind the name of a row. */
function row(name: string, changes: Partial<ReportEvent>): string | undefined {
  const line = reportTable({ ...report, ...changes })
    .split("\n")
    .find((each) => each.startsWith(name.padEnd(14)));
  return line?.slice(14);
}

test("reportTable() has the sentence first, then a row for each thing", () => {
  expect(reportTable(report))
    .toBe(`direct connections work with almost everybody: the NAT keeps one port for all destinations

udp           works, 4 of 5 answered, 12.3 ms
ipv4          behind a NAT
ipv6          no
mapping       keeps one port for all destinations
filtering     cannot be told with one server address
port mapping  PCP not spoken, NAT-PMP opened a port, UPnP answers, not needed
hairpin       no: the NAT does not lead back in
mtu           1500 bytes on this machine's link
relay         chat.example:7420, 11.9 ms
server clock  agrees with this machine's`);
});

test("reportTable() says in plain words what each kind of NAT does", () => {
  const words = mappingKinds.map((mapping) =>
    row("mapping", { mapping, mappingStep: mapping === "sequential" ? -2 : 0 }),
  );
  expect(words).toEqual([
    "not known",
    "not known",
    "keeps one port for all destinations",
    "a new port for each destination, counting down by 2",
    "a new port for each destination, out of one block",
    "a new port for each destination, on several addresses",
    "a new, random port for each destination",
  ]);
  expect(row("mapping", { mapping: "sequential", mappingStep: 1 })).toEndWith("counting up by 1");
  expect(row("mapping", { ipv4: "own" })).toBe("none: no NAT");
});

test("reportTable() tells a blocked network from one that was not looked at", () => {
  expect(row("udp", { udp: "blocked" })).toBe("blocked: the server's answers do not come");
  expect(row("udp", { udp: "unknown" })).toBe("not known");
  expect(row("ipv4", { ipv4: "blocked" })).toBe("no answer over UDP");
});

test("reportTable() blames no NAT for what comes back where there is none", () => {
  expect(row("hairpin", { hairpin: true })).toBe("yes: the NAT leads back in");
  expect(row("hairpin", { hairpin: true, ipv4: "own" })).toBe("yes: no NAT");
  expect(row("hairpin", { hairpin: true, ipv4: "none", ipv6: "own" })).toBe("yes: no NAT");
  expect(row("hairpin", { hairpin: null })).toBe("not known");
});

test("reportTable() says how far the server's clock is off, and which way", () => {
  expect(row("server clock", { serverClockSeconds: -75 })).toBe("75 s behind this machine's");
  expect(row("server clock", { serverClockSeconds: 2 })).toBe("2 s ahead of this machine's");
  expect(row("server clock", { serverClockSeconds: null })).toBe("not known");
});

test("reportTable() says what is wrong with the server", () => {
  expect(row("relay", { server: null, reached: false })).toBe("no server known");
  expect(row("relay", { reached: false, relayRttMs: null })).toBe("chat.example:7420, out of reach");
  expect(row("relay", { relays: false })).toBe("chat.example:7420, 11.9 ms, relays nothing");
});

test("reportTable() names routers' answers, and where there was none to ask", () => {
  expect(row("port mapping", { portMapping: "off" })).toBe("not asked");
  expect(row("port mapping", { portMapping: "none", portMappers: [] })).toBe("no router to ask");
  expect(row("port mapping", { portMapping: "none", portMappers: [{ protocol: "pcp", state: "not-public" }] })).toBe(
    "PCP refused: the router has no public address itself",
  );
});

test("reportTable() shows the proxy, and addresses only where the event has them", () => {
  expect(row("seen at", {})).toBeUndefined();
  expect(row("seen at", { addresses: ["203.0.113.7:4000"] })).toBe("203.0.113.7:4000");
  expect(row("proxy", { proxy: "proxy.example:3128" })).toBe("proxy.example:3128");
});

const pair: PairReportEvent = {
  event: "report",
  peer: "bob",
  session: "0a",
  verdict: "not direct: both NATs pick a random port per destination",
  direct: false,
  path: "relay-ws",
  remote: "chat.example:7420",
  rttMs: 25,
  udp: "works",
  ipv4: "translated",
  ipv6: "own",
  mapping: "random",
  mappingStep: 0,
  filtering: "unknown",
  hairpin: null,
  portMapping: "mapped",
  portMappers: [{ protocol: "upnp", state: "mapped" }],
  theirs: null,
};

test("pairTable() has both ends, each in a line", () => {
  const theirs = { ...pair, udp: "blocked", ipv4: "blocked", ipv6: "none", portMappers: [] } as const;
  expect(pairTable({ ...pair, theirs }, "over the server"))
    .toBe(`not direct: both NATs pick a random port per destination

path  over the server, chat.example:7420, 25.0 ms
you   NAT: a new, random port for each destination; IPv6; port by UPnP
bob   UDP blocked; no IPv6`);
});

test("pairTable() says who shows nothing, and what was not looked at", () => {
  const hidden = {
    ...pair,
    udp: "unknown",
    ipv4: "unknown",
    ipv6: "unknown",
    mapping: "unknown",
    rttMs: null,
  } as const;
  expect(pairTable(hidden, "over the server").split("\n").slice(2)).toEqual([
    "path  over the server, chat.example:7420",
    "you   not looked at",
    "bob   shows nothing of the network",
  ]);
});
