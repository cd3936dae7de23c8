import { expect, test } from "bun:test";
import type { Mapper } from "../../../../../src/wire/traversal/network-report.ts";
import { none, type Standing } from "../../../../../src/wire/traversal/port-mapping/lane.ts";
import {
  type GatewayRoute,
  isWorthMapping,
  type OwnGateway,
  PortMapper,
} from "../../../../../src/wire/traversal/port-mapping/port-mapper.ts";
import { seededRandom } from "../../../../support/bytes.ts";
import { ModelGateway } from "../../../../support/model-gateway.ts";

const v4: OwnGateway = { ownIp: "192.168.1.101", gatewayIp: "192.168.1.1", internalPort: 40_000 };
const v6: OwnGateway = { ownIp: "2001:db8:1:1::101", gatewayIp: "fe80::1%eth0", internalPort: 40_001 };
const external = { ip: "28.1.0.10", port: 40_000 };

/** A mapper and its gateway, 2 ms apart, on one clock. */
class House {
  readonly gateway = new ModelGateway();
  readonly mapper = new PortMapper({ random: seededRandom("house") });
  /** When something was told that somebody might act on. */
  readonly told: { readonly at: number; readonly mapped: readonly string[] }[] = [];
  readonly sent: { readonly at: number; readonly to: string }[] = [];
  hasEnded = false;
  now = 0;
  delayMs = 2;
  /** Where answers seem to come from. */
  disguise: (from: GatewayRoute) => GatewayRoute = (from) => from;
  #inFlight: { readonly at: number; readonly run: () => void }[] = [];

  /** No gateway is wanted now, and this machine has its addresses still. */
  leave(): this {
    this.mapper.start(this.now, [], [v4.ownIp, v6.ownIp]);
    this.#drain();
    return this;
  }

  start(...gateways: readonly OwnGateway[]): this {
    this.mapper.start(this.now, gateways);
    this.#drain();
    return this;
  }

  stop(): this {
    this.mapper.stop(this.now);
    this.#drain();
    return this;
  }

  runFor(ms: number): this {
    const end = this.now + ms;
    for (;;) {
      const [next] = this.#inFlight.toSorted((a, b) => a.at - b.at);
      const at = Math.min(next?.at ?? Infinity, this.mapper.pollTimeout() ?? Infinity);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (next !== undefined && next.at <= this.now) {
        this.#inFlight = this.#inFlight.filter((each) => each !== next);
        next.run();
      } else this.mapper.handleTimeout(this.now);
      this.#drain();
    }
    this.now = end;
    return this;
  }

  get mapped(): readonly string[] {
    return this.mapper.mappings.map(({ external: { ip, port } }) => `${ip} ${port}`);
  }

  standing(protocol: Mapper, ownIp = v4.ownIp): Standing | undefined {
    const home = this.mapper.reports.find((report) => report.ownIp === ownIp);
    return home?.protocols.find((each) => each.protocol === protocol)?.standing;
  }

  #drain(): void {
    do this.#tell();
    while (this.#sendAll());
  }

  #tell(): void {
    const { mapper, gateway } = this;
    for (let event = mapper.pollEvent(); event !== null; event = mapper.pollEvent()) {
      if (event.kind === "changed") this.told.push({ at: this.now, mapped: this.mapped });
      if (event.kind === "ended") this.hasEnded = true;
      if (event.kind !== "request") continue;
      const { id, request } = event;
      this.#later(() => mapper.handleReply(this.now, id, gateway.http(request)));
    }
  }

  /** @returns whether there was anything to send */
  #sendAll(): boolean {
    const { mapper, gateway } = this;
    const before = this.sent.length;
    for (let out = mapper.pollTransmit(this.now); out !== null; out = mapper.pollTransmit(this.now)) {
      const { bytes, to } = out;
      this.sent.push({ at: this.now, to: `${to.remote.ip} ${to.remote.port}` });
      const answer = gateway.datagram(this.now, bytes, to.remote);
      const bare = to.remote.ip === "239.255.255.250" ? "192.168.1.1" : (to.remote.ip.split("%")[0] ?? "");
      const from = this.disguise({ ownIp: to.ownIp, remote: { ...to.remote, ip: bare } });
      if (answer !== null) this.#later(() => mapper.handleDatagram(this.now, answer, from));
    }
    return this.sent.length > before;
  }

  #later(run: () => void): void {
    this.#inFlight.push({ at: this.now + this.delayMs, run });
  }
}

function houseOf(change: Partial<ModelGateway>): House {
  const house = new House();
  Object.assign(house.gateway, change);
  return house;
}

test("PortMapper has a mapping one round trip after it asked a gateway that speaks everything, by PCP alone", () => {
  const house = new House().start(v4).runFor(2_000);
  expect(house.mapped).toEqual(["28.1.0.10 40000"]);
  expect(house.told.find(({ mapped }) => mapped.length > 0)?.at).toBe(2);
  expect(house.standing("pcp")).toEqual({ kind: "mapped", external, leaseMs: 7_200_000 });
  expect([house.standing("nat-pmp"), house.standing("upnp")]).toEqual([{ kind: "ready" }, { kind: "ready" }]);
  expect(house.gateway.held).toEqual(new Map([[40_000, `pcp ${house.gateway.lastNonce} 40000`]]));
});

test("PortMapper maps by NAT-PMP at once where the gateway says that it does not speak PCP", () => {
  const house = houseOf({ speaks: ["nat-pmp", "upnp"] })
    .start(v4)
    .runFor(10);
  expect(house.mapped).toEqual(["28.1.0.10 40000"]);
  expect(house.standing("pcp")).toEqual(none("unsupported"));
  expect(house.gateway.held).toEqual(new Map([[40_000, "nat-pmp 40000"]]));
});

test("PortMapper takes a gateway that turns NAT-PMP away for one that speaks PCP", () => {
  const house = houseOf({ speaks: ["pcp"] })
    .start(v4)
    .runFor(2_000);
  expect(house.standing("nat-pmp")).toEqual(none("unsupported"));
  expect(house.mapped).toEqual(["28.1.0.10 40000"]);
});

test("PortMapper maps by UPnP when the other two have been silent for a quarter of a second", () => {
  const house = houseOf({ speaks: ["upnp"] })
    .start(v4)
    .runFor(2_000);
  expect(house.told.find(({ mapped }) => mapped.length > 0)?.at).toBe(252);
  expect(house.standing("upnp")).toEqual({ kind: "mapped", external, leaseMs: 3_600_000 });
  expect([house.standing("pcp"), house.standing("nat-pmp")]).toEqual([none("silent"), none("silent")]);
  expect(house.gateway.held).toEqual(new Map([[40_000, "upnp 3600 192.168.1.101:40000"]]));
});

test("PortMapper gives up a worse protocol's mapping when a better one answers late, and closes no port that both have", () => {
  const house = houseOf({ speaks: ["upnp"] })
    .start(v4)
    .runFor(500);
  house.gateway.speaks = ["pcp", "upnp"];
  house.runFor(2_000);
  expect([house.mapped, house.standing("upnp")]).toEqual([["28.1.0.10 40000"], none("unwanted")]);
  expect(house.gateway.held).toEqual(new Map([[40_000, `pcp ${house.gateway.lastNonce} 40000`]]));

  const other = houseOf({ speaks: ["upnp"] });
  other.gateway.taken.add(40_000);
  other.start(v4).runFor(500);
  other.gateway.speaks = ["pcp", "upnp"];
  other.runFor(2_000);
  expect(other.gateway.asked.at(-1)).toBe("DeletePortMapping");
  expect([...other.gateway.held.keys()]).toEqual([40_000]);
});

test("PortMapper closes no port by NAT-PMP that PCP has got late", () => {
  const house = houseOf({ speaks: ["nat-pmp"] });
  const answer = house.gateway.datagram.bind(house.gateway);
  // PCP's questions get lost at first.
  house.gateway.datagram = (now, bytes, to) => (bytes[0] === 2 && now < 300 ? null : answer(now, bytes, to));
  house.gateway.speaks = ["pcp", "nat-pmp"];
  house.start(v4).runFor(300);
  expect(house.standing("nat-pmp")?.kind).toBe("mapped");
  house.runFor(2_000);
  expect([house.standing("pcp")?.kind, house.standing("nat-pmp")]).toEqual(["mapped", none("unwanted")]);
  expect(house.gateway.held.size).toBe(1);
  expect(house.gateway.asked).not.toContain("nat-pmp 0");
});

test("PortMapper asks a silent gateway five times by each protocol, and then no more", () => {
  const house = houseOf({ speaks: [] }).start(v4).runFor(3_600_000);
  const to = (place: string) => house.sent.filter((each) => each.to === place).map(({ at }) => at);
  expect(to("192.168.1.1 5351")).toEqual([0, 0, 100, 100, 200, 200, 1_000, 1_000, 3_000, 3_000]);
  expect(to("239.255.255.250 1900")).toEqual([0, 250, 600, 2_000]);
  expect(to("192.168.1.1 1900")).toEqual([0, 250, 600, 2_000]);
  expect(house.standing("upnp")).toEqual(none("silent"));
  expect(house.mapper.pollTimeout()).toBeNull();
});

test("PortMapper hears a gateway that took longer than we waited", () => {
  const house = houseOf({ speaks: ["pcp"] });
  house.delayMs = 900;
  house.start(v4).runFor(800);
  expect(house.standing("pcp")).toEqual(none("silent"));
  expect(house.runFor(200).mapped).toEqual(["28.1.0.10 40000"]);
});

test("PortMapper makes no candidate of an address that is not public, and gives the mapping back", () => {
  for (const ip of ["100.64.0.7", "192.168.0.2", "10.0.0.1", "169.254.1.1", "127.0.0.1"]) {
    const house = houseOf({ externalIp: ip }).start(v4).runFor(5_000);
    expect(house.mapped).toEqual([]);
    expect([...(["pcp", "nat-pmp", "upnp"] as const)].map((protocol) => house.standing(protocol))).toEqual([
      none("not-public"),
      none("not-public"),
      none("not-public"),
    ]);
    expect(house.gateway.held.size).toBe(0);
    expect(house.gateway.asked).not.toContain("AddPortMapping");
  }
});

test("PortMapper tells the code of a gateway that refuses", () => {
  const house = houseOf({ refusal: 8, speaks: ["pcp", "nat-pmp"] })
    .start(v4)
    .runFor(5_000);
  expect([house.standing("pcp"), house.standing("nat-pmp"), house.standing("upnp")]).toEqual([
    none("refused", 8),
    none("refused", 8),
    none("silent"),
  ]);
});

test("PortMapper believes nobody but the gateway it asked, at the port it asked", () => {
  const house = new House();
  house.disguise = ({ ownIp, remote }) => ({ ownIp, remote: { ...remote, ip: "192.168.1.66" } });
  expect(house.start(v4).runFor(5_000).mapped).toEqual([]);
  const otherPort = houseOf({ speaks: ["pcp", "nat-pmp"] });
  otherPort.disguise = ({ ownIp, remote }) => ({ ownIp, remote: { ...remote, port: 5_350 } });
  expect(otherPort.start(v4).runFor(5_000).mapped).toEqual([]);
  const otherHome = new House();
  otherHome.disguise = ({ remote }) => ({ ownIp: "192.168.1.102", remote });
  expect(otherHome.start(v4).runFor(5_000).mapped).toEqual([]);
});

test("PortMapper believes no answer that does not know its nonce, or is about another port", () => {
  for (const at of [24, 35, 40]) {
    const house = houseOf({ speaks: ["pcp"] });
    const answer = house.gateway.datagram.bind(house.gateway);
    house.gateway.datagram = (now, bytes, to) => {
      const good = answer(now, bytes, to);
      return good?.with(at, (good[at] ?? 0) ^ 1) ?? null;
    };
    expect(house.start(v4).runFor(5_000).mapped).toEqual([]);
  }
});

test("PortMapper asks again when half of a lease is over, for what it has", () => {
  const house = new House().start(v4).runFor(3_599_000);
  const before = house.gateway.asked.length;
  house.runFor(2_000);
  expect(house.gateway.asked.slice(before)).toEqual(["pcp 7200"]);
  house.runFor(36_000_000);
  expect(house.told.filter(({ at, mapped }) => at > 2 && mapped.length === 0)).toEqual([]);
  expect(house.mapped).toEqual(["28.1.0.10 40000"]);
});

test("PortMapper renews by NAT-PMP and UPnP alike", () => {
  for (const protocol of ["nat-pmp", "upnp"] as const) {
    const house = houseOf({ speaks: [protocol] })
      .start(v4)
      .runFor(5_000);
    const before = house.gateway.asked.length;
    house.runFor(3_600_000);
    const again =
      protocol === "upnp" ? ["GetExternalIPAddress", "AddPortMapping"] : ["nat-pmp external", "nat-pmp 7200"];
    expect(house.gateway.asked.slice(before, before + 2)).toEqual(again);
    expect(house.mapped).toEqual(["28.1.0.10 40000"]);
  }
});

test("PortMapper asks for a short lease no sooner than every ten seconds", () => {
  const house = houseOf({ lifetimeSeconds: 1, speaks: ["pcp"] })
    .start(v4)
    .runFor(1_000);
  const before = house.gateway.asked.filter((what) => what.startsWith("pcp")).length;
  house.runFor(100_000);
  expect(house.gateway.asked.filter((what) => what.startsWith("pcp")).length - before).toBe(10);
});

test("PortMapper lets a mapping go that its gateway does not renew", () => {
  const house = houseOf({ speaks: ["pcp"] })
    .start(v4)
    .runFor(5_000);
  house.gateway.speaks = [];
  expect(house.runFor(7_190_000).mapped).toEqual(["28.1.0.10 40000"]);
  expect(house.runFor(10_000).mapped).toEqual([]);
  expect(house.standing("pcp")).toEqual(none("silent"));
});

test("PortMapper takes the external address that a renewal tells", () => {
  const house = houseOf({ speaks: ["upnp"] })
    .start(v4)
    .runFor(5_000);
  house.gateway.externalIp = "28.1.0.11";
  expect(house.runFor(1_800_000).mapped).toEqual(["28.1.0.11 40000"]);
});

test("PortMapper asks for all anew when one answer shows that the gateway has forgotten", () => {
  const house = houseOf({ speaks: ["pcp"] })
    .start(v4, v6)
    .runFor(5_000);
  expect(house.mapped).toEqual(["28.1.0.10 40000", "2001:db8:1:1::101 40001"]);
  house.gateway.forget(house.now);
  house.start(v4).runFor(1_000);
  expect([...house.gateway.held.keys()]).toEqual([40_000]);
  const both = houseOf({ speaks: ["pcp"] })
    .start(v4, v6)
    .runFor(3_590_000);
  both.gateway.forget(both.now);
  both.runFor(10_500);
  expect(new Set(both.gateway.held.keys())).toEqual(new Set([40_000, 40_001]));
});

test("PortMapper does not ask in a circle where a gateway's time runs backwards in every answer", () => {
  const house = houseOf({ speaks: ["pcp", "nat-pmp"] });
  const answer = house.gateway.datagram.bind(house.gateway);
  house.gateway.datagram = (now, bytes, to) => {
    house.gateway.startedAt += 100_000;
    return house.gateway.asked.length < 200 ? answer(now, bytes, to) : null;
  };
  house.gateway.startedAt = -4_000_000_000;
  house.start(v4, v6).runFor(100);
  house.start(v4, v6).runFor(1_000);
  expect(house.gateway.asked.length).toBeLessThan(50);
  expect(house.mapped).toHaveLength(2);
});

test("PortMapper opens the IPv6 firewall for a global address by PCP, at a link-local gateway with its zone", () => {
  const house = new House().start(v6).runFor(2_000);
  expect(house.mapper.mappings).toEqual([
    { ownIp: v6.ownIp, internalPort: 40_001, external: { ip: v6.ownIp, port: 40_001 } },
  ]);
  expect(house.sent.map(({ to }) => to)).toEqual(["fe80::1%eth0 5351"]);
});

test("PortMapper takes another port where somebody has ours: its own choice, or the gateway's where that can choose", () => {
  const house = houseOf({ speaks: ["upnp"] });
  house.gateway.taken.add(40_000);
  house.start(v4).runFor(2_000);
  const [port = 0] = house.gateway.held.keys();
  expect(port).toBeGreaterThanOrEqual(32_768);
  expect(house.mapped).toEqual([`28.1.0.10 ${port}`]);

  const choosing = houseOf({ speaks: ["upnp"], version: 2 });
  choosing.gateway.taken.add(40_000);
  expect(choosing.start(v4).runFor(2_000).mapped).toEqual(["28.1.0.10 40001"]);
  expect(choosing.gateway.asked).not.toContain("AddPortMapping");
  expect(choosing.runFor(1_800_000).gateway.asked.at(-1)).toBe("AddPortMapping");
});

test("PortMapper tries four ports and no more", () => {
  const house = houseOf({ speaks: ["upnp"] });
  for (let port = 1; port < 65_536; port++) house.gateway.taken.add(port);
  house.start(v4).runFor(5_000);
  expect(house.gateway.asked.filter((what) => what === "AddPortMapping")).toHaveLength(4);
  expect(house.standing("upnp")).toEqual(none("refused", 718));
});

test("PortMapper takes a mapping without an end where the gateway has no others, and ends it at the end", () => {
  const house = houseOf({ speaks: ["upnp"], permanentOnly: true })
    .start(v4)
    .runFor(2_000);
  expect(house.standing("upnp")).toEqual({ kind: "mapped", external, leaseMs: null });
  expect(house.gateway.held).toEqual(new Map([[40_000, "upnp 0 192.168.1.101:40000"]]));
  house.stop().runFor(500);
  expect([house.hasEnded, house.gateway.held.size]).toEqual([true, 0]);
});

test("PortMapper ends a mapping also when it has lost sight of it meanwhile", () => {
  for (const speaks of [["pcp"], ["nat-pmp"], ["upnp"]] as const) {
    const house = houseOf({ speaks, permanentOnly: true }).start(v4).runFor(2_000);
    house.gateway.speaks = [];
    house.start(v4).runFor(5_000);
    expect([house.mapped, house.gateway.held.size]).toEqual([[], 1]);
    house.gateway.speaks = speaks;
    house.stop().runFor(500);
    expect([house.hasEnded, house.gateway.held.size]).toEqual([true, 0]);
  }
});

test("PortMapper reads what came while its program was held up, before it asks again or gives anybody up", () => {
  const house = new House().start(v4);
  house.now = 400;
  house.mapper.handleTimeout(house.now);
  expect(house.mapper.pollTransmit(house.now)).toBeNull();
  expect(house.standing("pcp")).toEqual({ kind: "asking" });
  house.runFor(100);
  expect(house.mapped).toEqual(["28.1.0.10 40000"]);
  expect(house.gateway.asked.filter((what) => what.startsWith("pcp"))).toEqual(["pcp 7200"]);
});

test("PortMapper is held up once in a row, and goes on then", () => {
  const house = houseOf({ speaks: [] }).start(v4);
  house.now = 400;
  house.mapper.handleTimeout(house.now);
  house.now = 800;
  house.mapper.handleTimeout(house.now);
  expect(house.standing("pcp")).toEqual(none("silent"));
});

test("PortMapper gives a mapping back when the gateway has come behind a carrier's NAT", () => {
  for (const protocol of ["pcp", "nat-pmp", "upnp"] as const) {
    const house = houseOf({ speaks: [protocol] })
      .start(v4)
      .runFor(5_000);
    house.gateway.externalIp = "100.64.0.7";
    house.runFor(3_600_000);
    expect([house.mapped, house.gateway.held.size]).toEqual([[], 0]);
    expect(house.standing(protocol)).toEqual(none("not-public"));
  }
});

test("PortMapper looks once more for a gateway that is found and does not answer, and then leaves it", () => {
  const house = houseOf({ speaks: ["upnp"] })
    .start(v4)
    .runFor(5_000);
  house.gateway.http = () => null;
  const before = house.sent.length;
  house.runFor(3_600_000);
  expect(house.sent.length - before).toBe(2);
  expect(house.standing("upnp")).toEqual(none("silent"));
});

test("PortMapper gives everything back at the end, in one round trip", () => {
  for (const speaks of [["pcp"], ["nat-pmp"], ["upnp"]] as const) {
    const house = houseOf({ speaks }).start(v4, v6).runFor(5_000);
    expect(house.gateway.held.size).toBeGreaterThan(0);
    house.stop().runFor(5);
    expect([house.hasEnded, house.gateway.held.size, house.mapped]).toEqual([true, 0, []]);
    const asked = house.gateway.asked.length;
    expect(house.runFor(36_000_000).gateway.asked.length).toBe(asked);
  }
});

test("PortMapper asks a busy gateway once more to end a mapping, and then leaves it", () => {
  for (const failures of [1, 2, Infinity]) {
    const house = houseOf({ speaks: ["upnp"], permanentOnly: true })
      .start(v4)
      .runFor(2_000);
    const http = house.gateway.http.bind(house.gateway);
    let asked = 0;
    house.gateway.http = (request) => (asked++ < failures ? null : http(request));
    house.stop().runFor(500);
    expect([house.hasEnded, asked, house.gateway.held.size]).toEqual([true, 2, failures === 1 ? 0 : 1]);
  }
});

test("PortMapper gives back at the end what is granted only then", () => {
  for (const speaks of [["pcp"], ["nat-pmp"], ["upnp"]] as const) {
    const house = houseOf({ speaks });
    house.delayMs = 40;
    house.start(v4);
    while (house.gateway.held.size === 0) house.runFor(1);
    house.stop().runFor(400);
    expect([house.hasEnded, house.gateway.held.size]).toEqual([true, 0]);
  }
});

test("PortMapper gives back what was mapped for an address that is no longer behind its gateway", () => {
  for (const speaks of [["pcp"], ["nat-pmp"], ["upnp"]] as const) {
    const house = houseOf({ speaks, permanentOnly: true }).start(v4).runFor(5_000);
    expect(house.gateway.held.size).toBe(1);
    house.leave().runFor(5);
    expect([house.mapped, house.gateway.held.size]).toEqual([[], 0]);
    const asked = house.leave().runFor(36_000_000).gateway.asked.length;
    expect([house.stop().hasEnded, house.gateway.asked.length]).toEqual([true, asked]);
  }
});

test("PortMapper waits at its end also for what it began to give back before", () => {
  const house = new House().start(v4).runFor(5_000);
  house.gateway.speaks = [];
  expect(house.leave().stop().hasEnded).toBe(false);
  house.gateway.speaks = ["pcp"];
  expect([house.runFor(200).hasEnded, house.gateway.held.size]).toEqual([true, 0]);
});

test("PortMapper says nothing for an address that this machine has no more, and gives back when it comes again", () => {
  const house = houseOf({ speaks: ["pcp"] })
    .start(v4)
    .runFor(5_000);
  const before = house.sent.length;
  house.start().runFor(5_000);
  expect([house.sent.length, house.gateway.held.size]).toEqual([before, 1]);
  expect(house.leave().runFor(5).gateway.held.size).toBe(0);
  expect(house.start(v4).runFor(5).mapped).toEqual(["28.1.0.10 40000"]);
});

test("PortMapper asks a gateway that refuses to end a mapping for the shortest life that it has", () => {
  const house = houseOf({ refusesToEnd: true }).start(v6).runFor(1_000);
  house.stop().runFor(5);
  expect(house.gateway.asked).toEqual(["pcp 7200", "pcp 0", "pcp 1"]);
  expect(house.hasEnded).toBe(true);
});

test("PortMapper waits at the end for a gateway that has gone no longer than it says goodbye", () => {
  const house = new House().start(v4).runFor(5_000);
  house.gateway.speaks = [];
  expect(house.stop().runFor(200).hasEnded).toBe(false);
  expect(house.runFor(100).hasEnded).toBe(true);
  const unasked = new House().stop();
  expect(unasked.hasEnded).toBe(true);
});

test("PortMapper keeps its nonce and its wish for an address that comes back", () => {
  const house = houseOf({ speaks: ["pcp"] })
    .start(v4)
    .runFor(1_000);
  const nonce = house.gateway.lastNonce;
  house.start().runFor(4_000);
  expect(house.mapped).toEqual([]);
  house.start(v4).runFor(1_000);
  expect([house.mapped, house.gateway.lastNonce]).toEqual([["28.1.0.10 40000"], nonce]);
});

test("PortMapper holds nothing for long that a gateway has not granted again after it was asked anew", () => {
  for (const protocol of ["pcp", "nat-pmp", "upnp"] as const) {
    const house = houseOf({ speaks: [protocol] })
      .start(v4)
      .runFor(5_000);
    house.gateway.speaks = [];
    house.start(v4);
    expect(house.runFor(100).mapped).toEqual(["28.1.0.10 40000"]);
    expect(house.runFor(1_000).mapped).toEqual([]);
  }
});

test("PortMapper goes through the lines of a gateway until one is up", () => {
  const house = houseOf({ speaks: ["upnp"] });
  const http = house.gateway.http.bind(house.gateway);
  const line = (url: string) =>
    `<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>${url}</controlURL></service>`;
  house.gateway.http = (request) => {
    if (request.method === "GET") return { status: 200, body: `<root>${line("/down")}${line("/up")}</root>` };
    const reply = http(request);
    if (!request.url.endsWith("/down") || reply === null) return reply;
    return { ...reply, body: reply.body.replace("28.1.0.10", "0.0.0.0") };
  };
  expect(house.start(v4).runFor(2_000).mapped).toEqual(["28.1.0.10 40000"]);
});

test("PortMapper goes nowhere but to the gateway, wherever that says it describes itself", () => {
  const house = houseOf({ speaks: ["upnp"] });
  const answer = house.gateway.datagram.bind(house.gateway);
  house.gateway.datagram = (now, bytes, to) => {
    const good = answer(now, bytes, to);
    return good === null
      ? null
      : Buffer.from(Buffer.from(good).toString().replace("192.168.1.1:5000", "28.0.0.1:5000"));
  };
  house.start(v4).runFor(5_000);
  expect([house.standing("upnp"), house.gateway.asked.includes("describe")]).toEqual([none("silent"), false]);
});

test("isWorthMapping() holds for addresses behind a NAT, and for global ones of IPv6", () => {
  const worth = ["192.168.1.101", "10.0.0.1", "100.64.0.1", "2001:db8::1"];
  expect(worth.map(isWorthMapping)).toEqual([true, true, true, true]);
  expect(["28.1.0.10", "169.254.1.1", "127.0.0.1", "fe80::1", "fd00::1", "::1"].some(isWorthMapping)).toBe(false);
});
