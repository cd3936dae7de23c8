import { expect, test } from "bun:test";
import type { CliEvent, PairReportEvent, ReportEvent } from "../../src/modes/cli/events.ts";
import { type Finished, run } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { Village } from "./village.ts";

/** What `p2p doctor` finds where this person is. */
async function looked(person: Person): Promise<ReportEvent> {
  const { events, exitCode, stderr } = await person.run("doctor");
  const report = events.find((event): event is ReportEvent => event.event === "report" && !("peer" in event));
  if (report === undefined || exitCode !== 0) throw new Error(`status ${exitCode}: ${stderr}`);
  return report;
}

/** What `p2p doctor @ben` comes to, once Ana and Ben know each other. */
async function lookedTogether({ ana, ben }: Village): Promise<{ finished: Finished; report: PairReportEvent }> {
  await using receiver = await ben.receiving();
  expect((await ana.run("msg", "ben", "hello")).exitCode).toBe(0);
  await receiver.waitFor("message");
  const finished = await ana.run("doctor", "@ben");
  const isReport = (event: CliEvent): event is PairReportEvent => event.event === "report" && "peer" in event;
  const report = finished.events.find(isReport);
  if (report === undefined) throw new Error(`status ${finished.exitCode}: ${finished.stderr}`);
  return { finished, report };
}

test("the doctor behind home routers finds one port for all destinations, and two of them direct, with 0", async () => {
  await using village = await Village.settle({ a: "cone", b: "cone,hairpin" });
  const [here, there] = await Promise.all([looked(village.ana), looked(village.ben)]);
  const cone = { allows: "good", udp: "works", ipv4: "translated", ipv6: "none", mapping: "independent" };
  expect(here).toMatchObject({ ...cone, hairpin: false, mtuBytes: 1_500 });
  expect(there).toMatchObject({ ...cone, hairpin: true });
  const { finished, report } = await lookedTogether(village);
  expect(finished.exitCode).toBe(0);
  expect(report).toMatchObject({
    direct: true,
    path: "direct",
    verdict: "direct: both NATs keep one port for all destinations",
    mapping: "independent",
    theirs: { udp: "works", ipv4: "translated", mapping: "independent" },
  });
});

test("the doctor behind random NATs finds that, and says why two of them have no direct path, with 7", async () => {
  await using village = await Village.settle({ a: "symmetric", b: "symmetric" });
  expect(await looked(village.ana)).toMatchObject({ allows: "fair", udp: "works", mapping: "random" });
  const { finished, report } = await lookedTogether(village);
  expect(finished.exitCode).toBe(7);
  expect(report).toMatchObject({
    direct: false,
    verdict: "not direct: both NATs pick a random port per destination; IPv6 or port mapping on either side would help",
    theirs: { mapping: "random" },
  });
});

test("the doctor tells a row of ports from a block of them", async () => {
  await using village = await Village.settle({ a: "symmetric-seq", b: "symmetric-block" });
  const [row, block] = await Promise.all([looked(village.ana), looked(village.ben)]);
  expect(row).toMatchObject({ allows: "fair", mapping: "sequential", mappingStep: 1 });
  expect(block).toMatchObject({ allows: "fair", mapping: "block" });
});

test("the doctor on a machine in no network says that, with 10 where there is a server to miss", async () => {
  await using village = await Village.settle({ a: "cone", b: "cone" });
  const alone = await run(["doctor", "--json", "--home", village.ana.home], { inside: ["unshare", "--net"] });
  expect(alone.exitCode).toBe(10);
  expect(alone.events[0]).toMatchObject({
    event: "report",
    verdict: "this machine is in no network",
    allows: "none",
    ipv4: "none",
    reached: false,
  });
});

test("the doctor without UDP says so on the side that lacks it, and names what a router opens on the other", async () => {
  await using village = await Village.settle({ a: "udpblocked", b: "symmetric,upnp" });
  const [blocked, mapped] = await Promise.all([looked(village.ana), looked(village.ben)]);
  expect(blocked).toMatchObject({ allows: "none", udp: "blocked", ipv4: "blocked", mapping: "blocked", hairpin: null });
  expect(mapped).toMatchObject({ allows: "good", portMapping: "mapped", mapping: "random" });
  expect(mapped.portMappers.map(({ protocol }) => protocol)).toEqual(["pcp", "nat-pmp", "upnp"]);
  const { finished, report } = await lookedTogether(village);
  expect(finished.exitCode).toBe(7);
  expect(report.verdict).toBe(
    "not direct: UDP is blocked on this side; a network that lets UDP through would help on this side",
  );
  expect(report.theirs).toMatchObject({ udp: "works", mapping: "random", portMapping: "mapped" });
});
