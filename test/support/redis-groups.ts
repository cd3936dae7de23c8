import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseProcess, freePort } from "./database-process.ts";
import { freshPrefix, redisCli, redisServer } from "./redis.ts";

const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 1_000;
/** What the sentinel calls the master. */
const MASTER = "mymaster";
const LOOK_EVERY_MS = 20;

export interface RedisGroup extends AsyncDisposable {
  readonly servers: readonly DatabaseProcess[];
  freshUrl(): string;
}

/** A Redis Cluster of three masters without replicas. */
export async function startRedisCluster(): Promise<RedisGroup> {
  const busPorts = [await freePort(), await freePort(), await freePort()];
  const servers: DatabaseProcess[] = [];
  for (const busPort of busPorts) servers.push(await startClusterNode(busPort));
  const ports = servers.map(({ port }) => port);
  for (const [index, port] of ports.entries()) {
    const [from, to] = [index, index + 1].map((share) => Math.floor((SLOTS * share) / ports.length));
    redisCli(port, ["cluster", "addslotsrange", `${from}`, `${(to ?? 0) - 1}`]);
    redisCli(ports[0] ?? 0, ["cluster", "meet", "127.0.0.1", `${port}`, `${busPorts[index]}`]);
  }
  await untilAll(ports, (port) => isWhole(port, ports.length));
  return group(servers, () => `redis+cluster://127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}/?prefix=${freshPrefix()}`);
}

/** A master, a replica of it, and a sentinel that puts the one in place of the other within a second or two. */
export async function startRedisSentinel(): Promise<RedisGroup> {
  const master = await DatabaseProcess.start((port, folder) => redisServer(port, folder));
  const follow = ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"];
  const replica = await DatabaseProcess.start((port, folder) => redisServer(port, folder, follow));
  await untilAll([replica.port], (port) => redisCli(port, ["info", "replication"]).includes("master_link_status:up"));
  const sentinel = await DatabaseProcess.start((port, folder) => sentinelOf(master.port, port, folder));
  await untilAll([sentinel.port], (port) => redisCli(port, ["sentinel", "master", MASTER]).includes("num-slaves\n1"));
  return group([master, replica, sentinel], () => {
    return `redis+sentinel://127.0.0.1:${sentinel.port}/${MASTER}?prefix=${freshPrefix()}`;
  });
}

function group(servers: readonly DatabaseProcess[], freshUrl: () => string): RedisGroup {
  return {
    servers,
    freshUrl,
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

async function startClusterNode(busPort: number): Promise<DatabaseProcess> {
  const enabled = ["--cluster-enabled", "yes", "--cluster-node-timeout", `${NODE_TIMEOUT_MS}`];
  const settings = [...enabled, "--cluster-port", `${busPort}`];
  return DatabaseProcess.start((port, folder) => redisServer(port, folder, settings));
}

function isWhole(port: number, nodes: number): boolean {
  const info = redisCli(port, ["cluster", "info"]);
  return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${nodes}`);
}

function sentinelOf(masterPort: number, port: number, folder: string): string[] {
  const file = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${MASTER} 500`,
    `sentinel failover-timeout ${MASTER} 3000`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return ["redis-server", file, "--sentinel"];
}

async function untilAll(ports: readonly number[], isSo: (port: number) => boolean): Promise<void> {
  while (!ports.every(isSo)) await Bun.sleep(LOOK_EVERY_MS);
}
