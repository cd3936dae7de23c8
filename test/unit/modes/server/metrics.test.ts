import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createMetrics, type Databases } from "../../../../src/modes/server/metrics.ts";
import { doubtAboutMetrics } from "../../../../src/modes/server/metrics-door.ts";
import { root } from "../../../support/sources.ts";
import { House } from "./house.ts";
import { Neighbourhood } from "./neighbourhood.ts";

/** `name{label="…"}` to value, comments left out. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

/** That answer after so many milliseconds; null: not at all. */
const databases = (storeMs: number | null, redisMs: number | null): Databases => ({
  storeMs: async () => storeMs,
  redisMs: async () => redisMs,
});

const familiesOf = (text: string) =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name, type }));

test("metrics count people, devices, channels, relayed bytes, sessions and limits", async () => {
  await using house = await House.open();
  const ana = await house.member("ana");
  await house.present("ben");
  const { tally } = house.services;
  tally.relayed("ana", 1_500);
  tally.sessionEnded("lan");
  tally.refused("rings", { code: "limited" });
  const metrics = createMetrics(house.services, databases(2.5, 0.5));
  const read = async () => Object.fromEntries(samples(await metrics.render()));
  expect(await read()).toMatchObject({
    p2p_people_online: 1,
    p2p_devices_signed_in: 2,
    p2p_channels_open: 2,
    p2p_sessions_live: 0,
    p2p_relayed_bytes_total: 1_500,
    'p2p_sessions_ended_total{path="lan"}': 1,
    'p2p_sessions_ended_total{path="direct"}': 0,
    'p2p_limits_hit_total{kind="rings"}': 1,
    p2p_accounts_up: 1,
    p2p_accounts_answer_seconds: 0.0025,
    p2p_redis_up: 1,
    p2p_redis_answer_seconds: 0.0005,
    p2p_nodes_seen: 1,
  });
  tally.relayed("ana", 500);
  ana.leave();
  expect(await read()).toMatchObject({ p2p_relayed_bytes_total: 2_000, p2p_channels_open: 1 });
});

test("metrics of a server of one node have nothing of Redis", async () => {
  await using house = await House.open();
  const text = await createMetrics(house.services, { storeMs: async () => 1, redisMs: null }).render();
  expect(text).not.toMatch(/redis/i);
  expect(samples(text).get("p2p_nodes_seen")).toBe(1);
});

test("metrics of a node count those that it sees", async () => {
  await using place = await Neighbourhood.open();
  const [{ services }] = place.houses;
  expect(samples(await createMetrics(services, databases(1, 1)).render()).get("p2p_nodes_seen")).toBe(2);
});

test("metrics say that the accounts do not answer, and that Redis does not", async () => {
  await using house = await House.open();
  const read = samples(await createMetrics(house.services, databases(null, null)).render());
  for (const name of ["accounts", "redis"])
    expect([read.get(`p2p_${name}_up`), read.get(`p2p_${name}_answer_seconds`)]).toEqual([0, Number.NaN]);
});

test("metrics name nobody and no address, whoever did what", async () => {
  await using house = await House.open();
  const person = await house.present("margarete");
  house.services.tally.relayed("margarete", 10);
  const text = await createMetrics(house.services, databases(1, 1)).render();
  expect(text).not.toContain("margarete");
  expect(text).not.toContain(person.ip);
  const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label));
  expect(labels).toEqual(new Set(["commit", "kind", "path", "target", "version"]));
});

test("each metric has a help text, and a name with its unit that only counters end in _total", async () => {
  await using house = await House.open();
  const text = await createMetrics(house.services, databases(1, 1)).render();
  const families = familiesOf(text);
  expect(families.length).toBeGreaterThan(10);
  for (const { name = "", type } of families) {
    expect(text).toMatch(RegExp(`^# HELP ${name} \\S.+$`, "m"));
    expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
    expect(name).toMatch(/^(p2p|process)_[a-z_]+$/);
    expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|minutes)(_|$)/);
  }
});

test("the dashboard asks for metrics and labels that there are, and for each of ours", async () => {
  await using house = await House.open();
  const text = await createMetrics(house.services, databases(1, 1)).render();
  const names = familiesOf(text).map(({ name = "" }) => name);
  const dashboard = readFileSync(join(root, "packaging/grafana-dashboard.json"), "utf8");
  const { panels } = JSON.parse(dashboard) as { panels: { targets: { expr: string }[] }[] };
  const asked = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join("\n");
  const used = new Set([...asked.matchAll(/\b(?:p2p|process)_\w+/g)].map(([name]) => name));
  expect([...used].filter((name) => !names.includes(name))).toEqual([]);
  expect(names.filter((name) => !used.has(name))).toEqual([]);
  for (const [, labels = ""] of asked.matchAll(/by \((\w+)\)/g)) expect(["path", "kind", "instance"]).toContain(labels);
});

test.each([
  [null, true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["192.0.2.1", false],
  ["localhost.example.org", false],
])("doubtAboutMetrics() of host %p: loopback %p", (host, isLoopback) => {
  expect(doubtAboutMetrics({ host, port: 9_464 }) === null).toBe(isLoopback);
});
