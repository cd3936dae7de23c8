import { expect, test } from "bun:test";
import { parseRedisUrl } from "../../../../src/store/redis/url.ts";

const plain = { kind: "single", tls: false, database: 0, master: "", prefix: "p2p" } as const;

test("parseRedisUrl() reads a single server with all that may stand there", () => {
  expect(parseRedisUrl("redis://cache.example")).toEqual({ ...plain, hosts: [{ host: "cache.example", port: 6_379 }] });
  expect(parseRedisUrl("rediss://ana:open%20s%40same@[::1]:7000/3?prefix=other")).toEqual({
    ...plain,
    tls: true,
    hosts: [{ host: "::1", port: 7_000 }],
    username: "ana",
    password: "open s@same",
    database: 3,
    prefix: "other",
  });
  expect(parseRedisUrl("REDIS://:secret@10.0.0.1:6379/")).toMatchObject({ password: "secret", database: 0 });
  expect(parseRedisUrl("redis://:secret@10.0.0.1")).not.toHaveProperty("username");
});

test("parseRedisUrl() reads some nodes of a Cluster", () => {
  const target = parseRedisUrl("rediss+cluster://ana:secret@a.example:7000,b.example,[2001:db8::1]:7002");
  expect(target).toMatchObject({ kind: "cluster", tls: true, username: "ana", password: "secret", database: 0 });
  expect(target.hosts.map(({ host, port }) => `${host} ${port}`)).toEqual([
    "a.example 7000",
    "b.example 6379",
    "2001:db8::1 7002",
  ]);
});

test("parseRedisUrl() reads sentinels, their master and their own password", () => {
  const url =
    "redis+sentinel://:secret@a.example,b.example:26380/my%20master/2?sentinel-user=eve&sentinel-password=a%2Bb";
  expect(parseRedisUrl(url)).toEqual({
    ...plain,
    kind: "sentinel",
    hosts: [
      { host: "a.example", port: 26_379 },
      { host: "b.example", port: 26_380 },
    ],
    password: "secret",
    master: "my master",
    database: 2,
    sentinelUsername: "eve",
    sentinelPassword: "a+b",
  });
});

test.each([
  "redis://",
  "redis:cache.example",
  "redis://hunter2:65536",
  "redis://a.example:hunter2",
  "redis://a.example:0",
  "redis://a.example/hunter2",
  "redis://a.example/1/hunter2",
  "redis://a.example?hunter2=1",
  "redis://a.example?prefix=hunter2}",
  "redis://a.example?prefix=",
  "redis://ana:%hunter2@a.example",
  "redis://ana:hun@ter2@hunter2",
  "redis://ana:hunter2@a.example#part",
  "redis://::1",
  "redis+cluster://a.example,,hunter2",
  "redis+cluster://a.example/2",
  "redis+sentinel://hunter2",
  "redis+sentinel://hunter2/",
  "redis+sentinel://a.example/master/hunter2",
  "redis+tunnel://hunter2",
])("parseRedisUrl(%p) is refused and never repeated", (url) => {
  const attempt = () => parseRedisUrl(url);
  expect(attempt).toThrow("cannot open the presence store: its URL is not understood");
  try {
    attempt();
  } catch (error) {
    expect(Bun.inspect(error)).not.toContain("hunter2");
  }
});
