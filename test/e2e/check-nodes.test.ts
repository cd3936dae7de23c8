import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { run } from "../support/binary.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";
import { startRedis } from "../support/redis.ts";

const nodesTest = test.skipIf(nodesMissing !== null);

/** What `--check` finds, as `LEVEL: MESSAGE`; the tests may run as root, and that is for another one to tell. */
async function check(data: string, ...flags: readonly string[]): Promise<readonly string[]> {
  const line = ["server", "--check", "--json", "--data", data, "--listen", "127.0.0.1:0", ...flags];
  const { events, exitCode } = await run(line);
  const findings = events.flatMap((event) => (event.event === "finding" ? [`${event.level}: ${event.message}`] : []));
  expect(exitCode).toBe(findings.some((finding) => finding.startsWith("wrong")) ? 2 : 0);
  return findings.filter((finding) => !finding.includes("as root"));
}

nodesTest(
  "--check of a node finds nothing when it has the keys of the others, and lacks them when it has not",
  async () => {
    await using nodes = await Nodes.open();
    const { stores } = nodes;
    await nodes.register("ana");
    expect(await check(nodes.node(1).data, ...stores)).toEqual([]);
    using folder = temporaryFolder();
    const lacking = await check(folder.at("third"), ...stores);
    expect(lacking).toEqual([
      expect.stringMatching(/^wrong: .*server\.key is missing, but people have joined this server$/),
      "wrong: this node lacks the keys of the nodes that are there, and would make others",
    ]);
    expect((await run(["server", "--json", "--data", folder.at("third"), ...stores])).exitCode).toBe(2);
  },
);

nodesTest("--check of a node finds keys of another server", async () => {
  await using nodes = await Nodes.open({ count: 1 });
  await using others = await Nodes.open({ count: 1 });
  const [, , ...presence] = nodes.stores;
  const found = await check(others.node(0).data, ...others.stores.slice(0, 2), ...presence);
  expect(found).toEqual([
    expect.stringMatching(/^wrong: cannot join the nodes that share this Redis: they have other keys/),
  ]);
});

test("--check finds databases that nobody answers for, and tells their passwords to nobody", async () => {
  using folder = temporaryFolder();
  const urls = {
    accounts: "mongodb://p2p:open-sesame@127.0.0.1:9/p2p",
    presence: "redis://p2p:open-sesame@127.0.0.1:9",
  };
  const flags = Object.entries(urls).flatMap(([name, url]) => {
    writeFileSync(folder.at(name), url, { mode: 0o600 });
    return [`--${name}-file`, folder.at(name)];
  });
  const found = await check(folder.at("data"), ...flags);
  expect(found).toEqual([
    expect.stringMatching(/^wrong: .*MongoDB at 127\.0\.0\.1:9/),
    expect.stringMatching(/^wrong: .*Redis at 127\.0\.0\.1:9 refuses connections$/),
  ]);
  expect(found.join("\n")).not.toContain("open-sesame");
});

test("--check says which way to a database can be read, and that a password goes along", async () => {
  using folder = temporaryFolder();
  mkdirSync(folder.at("data"), { mode: 0o700 });
  const settings = (accounts: string, presence: string) =>
    writeFileSync(folder.at("data", "server.toml"), `accounts = "${accounts}"\npresence = "${presence}"\n`, {
      mode: 0o600,
    });
  const ways = async () => (await check(folder.at("data"))).filter((finding) => finding.includes("on the way"));
  settings("mongodb://p2p:open-sesame@192.0.2.1:9/p2p", "redis://192.0.2.1:9");
  expect(await ways()).toEqual([
    "warning: what goes to MongoDB can be read on the way, the password in its URL included",
    "warning: what goes to Redis can be read on the way",
  ]);
  settings("mongodb://p2p:open-sesame@192.0.2.1:9/p2p?tls=true", "rediss://192.0.2.1:9");
  expect(await ways()).toEqual([]);
  settings("mongodb://p2p:open-sesame@127.0.0.1:9/p2p", "redis://localhost:9");
  expect(await ways()).toEqual([]);
});

nodesTest("--check weighs accounts that other nodes cannot see, and where a node sends people", async () => {
  await using redis = await startRedis();
  using folder = temporaryFolder();
  const presence = ["--presence", redis.freshUrl()];
  const found = (...flags: readonly string[]) => check(folder.at("data"), ...flags);
  const alone = "warning: the accounts lie with this node alone, so people of other nodes have none here";
  expect(await found(...presence)).toEqual([alone]);
  const place = ["--advertise-node", "10.0.0.5:7420"];
  expect(await found(...presence, ...place)).toEqual([
    "warning: relay legs and UDP of this node would go to 10.0.0.5:7420, a private address",
    alone,
  ]);
  expect(await found(...place)).toEqual(["warning: advertise-node means nothing to a server of one node"]);
  expect(await found(...presence, "--advertise", "p2ps://p2p.example.org")).toEqual([
    "warning: join lines lead to a proxy, and none is trusted: all people count as one address",
    expect.stringMatching(
      /^warning: relay legs of this node would go to 127\.0\.0\.1:\d+ with TLS, which it does not speak$/,
    ),
    alone,
  ]);
});
