import { expect, test } from "bun:test";
import { UserError } from "../../../../../src/modes/cli/errors.ts";
import type { Findings } from "../../../../../src/modes/peer/doctor/examine.ts";
import { networkVerdict } from "../../../../../src/modes/peer/doctor/network-verdict.ts";
import type { Visit } from "../../../../../src/modes/peer/doctor/server-visit.ts";
import type { NetworkView } from "../../../../../src/modes/peer/own-network.ts";
import { type MappingKind, mappingKinds } from "../../../../../src/wire/traversal/mapping.ts";

const ticket = {
  kind: "ticket",
  request: 1,
  ticket: new Uint8Array(16),
  key: new Uint8Array(32),
  lifetimeMs: 600_000,
  ports: [7_420, 7_421],
  node: "",
} as const;

const visit: Visit = {
  node: { host: "chat.example", port: 7_420 },
  isReached: true,
  trouble: null,
  rttMs: 12,
  relays: true,
  tickets: [ticket, ticket],
  [Symbol.dispose]: () => undefined,
};

const view: NetworkView = {
  sockets: [
    { socket: 0, family: 4, port: 40_000 },
    { socket: 1, family: 6, port: 40_001 },
  ],
  servers: [{ ip: "203.0.113.1", port: 7_420 }],
  reflexive: [{ ip: "198.51.100.9", port: 1_025 }],
  unanswered: [],
  mapping: { kind: "independent", step: 0 },
  mappers: [],
};

const home: Findings = {
  ips: ["192.168.1.7"],
  isHidden: false,
  visit,
  clockOffsetSeconds: 0,
  proxy: null,
  view,
  probe: null,
  linkMtuBytes: 1_500,
  portMapping: { state: "none", homes: [] },
};

function behind(kind: MappingKind, changes: Partial<Findings> = {}): Findings {
  return { ...home, view: { ...view, mapping: { kind, step: 0 } }, ...changes };
}

const HELP = "IPv6 or port mapping would help";

test("networkVerdict() says for each kind of NAT how many people can be reached directly, and what would help", () => {
  const verdicts = mappingKinds.map((kind) => networkVerdict(behind(kind)));
  expect(verdicts).toEqual([
    { direct: "unknown", text: "what this network does with UDP could not be told in time" },
    {
      direct: "none",
      text: "everything goes over the server: UDP is blocked here; a network that lets UDP through would help",
    },
    {
      direct: "good",
      text: "direct connections work with almost everybody: the NAT keeps one port for all destinations",
    },
    {
      direct: "fair",
      text: `direct connections work with most people: the NAT's next port can be foretold; ${HELP}`,
    },
    {
      direct: "fair",
      text: `direct connections work with most people, with some after a search: the NAT picks a port of its block per destination; ${HELP}`,
    },
    {
      direct: "poor",
      text: `direct connections work with few people: the NAT picks a port and an address per destination; ${HELP}`,
    },
    {
      direct: "fair",
      text: `direct connections work with many people, after a search of some seconds: the NAT picks a random port per destination; ${HELP}`,
    },
  ]);
});

test("networkVerdict() is good where there is no NAT, and where a router has opened a port", () => {
  expect(
    networkVerdict({
      ...home,
      ips: ["198.51.100.9"],
      view: { ...view, reflexive: [{ ip: "198.51.100.9", port: 40_000 }] },
    }),
  ).toEqual({
    direct: "good",
    text: "direct connections work with almost everybody: no NAT is in the way",
  });
  const mapped = behind("random");
  expect(networkVerdict({ ...mapped, view: { ...mapped.view, mappers: ["pcp", "upnp"] } })).toEqual({
    direct: "good",
    text: "direct connections work with almost everybody: the router has opened a port, by PCP and UPnP",
  });
});

test("networkVerdict() counts IPv6 for those who have it", () => {
  const ips = ["192.168.1.7", "2001:db8::7"];
  expect(networkVerdict(behind("random", { ips })).text).toEndWith("; over IPv6 they work with everybody who has it");
  expect(networkVerdict(behind("blocked", { ips }))).toEqual({
    direct: "fair",
    text: "direct connections work over IPv6 alone: UDP is blocked over IPv4",
  });
});

test("networkVerdict() says that there is IPv6 alone", () => {
  const ips = ["2001:db8::7"];
  expect(networkVerdict(behind("unknown", { ips }))).toEqual({
    direct: "fair",
    text: "direct connections work with everybody who has IPv6 too: this machine has nothing else",
  });
});

test("networkVerdict() says something of use whatever is missing", () => {
  const trouble = new UserError(
    "server-unreachable",
    "cannot reach the server at chat.example:7420: nothing listens there",
  );
  const cases: readonly (readonly [Partial<Findings>, string])[] = [
    [{ ips: [], visit: { ...visit, isReached: false, trouble } }, "this machine is in no network"],
    [{ visit: null }, "no server is known here, which could look at this network from outside"],
    [{ visit: { ...visit, isReached: false, trouble } }, trouble.message],
    [
      { visit: { ...visit, tickets: [] } },
      "the server at chat.example:7420 answers, but looks at UDP for members only",
    ],
    [{ isHidden: true }, "everything goes over the server: --relay-only shows nobody an address"],
  ];
  for (const [changes, text] of cases) expect(networkVerdict({ ...home, ...changes }).text).toBe(text);
});

test("networkVerdict() says that the server does not let this device in, and why", () => {
  const revoked = new UserError("revoked", "this device was signed out");
  expect(networkVerdict({ ...home, visit: { ...visit, tickets: [], trouble: revoked } })).toEqual({
    direct: "unknown",
    text: "the server answers, but does not let this device in: this device was signed out",
  });
});

test("networkVerdict() warns of a server that relays nothing, where that leaves people out of reach", () => {
  const strict = { ...visit, relays: false };
  expect(networkVerdict(behind("random", { visit: strict })).text).toEndWith(
    "; this server relays nothing, so that who has no direct path is out of reach",
  );
  expect(networkVerdict(behind("independent", { visit: strict })).text).not.toContain("relays nothing");
});
