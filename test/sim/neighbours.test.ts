import { expect, test } from "bun:test";
import type { LinkOptions } from "./link.ts";
import { meet, talk, unanswered } from "./nat-scene.ts";

const HOME: LinkOptions = { delayMs: 25, jitterMs: 2 };

for (const [kind, where, hairpins, isFound] of [
  ["cone", "same-lan", false, true],
  ["cone", "same-nat", false, false],
  ["cone", "same-nat", true, true],
  ["cgnat", "same-cgnat", false, false],
  ["cgnat", "same-cgnat", true, true],
] as const)
  test(`${where}, a ${kind} that ${hairpins ? "hairpins" : "does not hairpin"}: two with one local port ${isFound ? "find each other" : "stay with the server"}`, () => {
    const scene = meet({ seed: 1, a: { kind, hairpins, link: HOME }, b: where, port: 40_000 });
    const { meeting, network, sideA, sideB } = scene;
    const hasArrived = talk(scene, 20_000);
    expect(meeting.untilDirect(10_000) !== null).toBe(isFound);
    network.runUntil(hasArrived, 10_000, "all that was said");
    for (const side of [sideA, sideB]) expect(Math.max(0, ...unanswered(side))).toBeLessThanOrEqual(36);
  });

test("two on one network are direct within 300 ms, by their addresses there, and stay so without a server", () => {
  const { meeting, network, sideA, sideB } = meet({ seed: 1, a: { kind: "cone", link: HOME }, b: "same-lan" });
  const directMs = meeting.untilDirect(300);
  expect(directMs).not.toBeNull();
  sideA.access.blocked.add("all");
  meeting.pair.setServer(false);
  network.runFor(60_000);
  expect(meeting.a.route).toMatchObject({ remote: { ip: sideB.host.ip } });
  expect(meeting.b.route).toMatchObject({ remote: { ip: sideA.host.ip } });
});

test("a host at the other end's private address, on one's own network, is never taken for the other end", () => {
  const home = { kind: "cone", link: HOME } as const;
  const scene = meet({ seed: 1, a: home, b: home, overlaps: true, port: 40_000 });
  const { sideA, sideB, network, world, meeting } = scene;
  expect(sideA.host.ip).toBe(sideB.host.ip);
  // The other end's private address is one's own, and then that of somebody else, who listens on the same port.
  expect(meeting.untilDirect(10_000)).not.toBeNull();
  const sideC = world.addNeighbour(sideA, "same-lan");
  const others = scene.alsoMeet(sideC, world.addSide(home));
  sideB.roam(Number(sideC.host.ip.split(".")[3]));
  meeting.b.moved();
  expect(sideB.host.ip).toBe(sideC.host.ip);
  const hasArrived = [meeting, others].map((each) => talk({ network, meeting: each }, 200_000));
  network.runFor(20_000);
  expect(hasArrived.map((has) => has())).toEqual([true, true]);
  expect(sideA.host.correspondence.get(`${sideC.host.ip}:40000`)?.sent).toBeGreaterThan(0);
  for (const { pair } of [meeting, others])
    for (const end of [pair.a, pair.b]) {
      const found = end.events.flatMap((event) =>
        event.kind === "route-validated" && event.route.kind === "udp" ? [event.route.remote.ip] : [],
      );
      expect(new Set(found.map((ip) => ip.split(".")[0]))).toEqual(new Set(["28"]));
    }
  expect(meeting.a.route).toMatchObject({ remote: { ip: "28.2.0.10" } });
  expect(others.a.route).toMatchObject({ remote: { ip: "28.4.0.10" } });
});
