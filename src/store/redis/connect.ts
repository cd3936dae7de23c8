import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Script } from "./scripts.ts";
import { endOnStrangeAnswers } from "./strict-answers.ts";
import type { RedisTarget } from "./url.ts";

/** Every answer takes at most so long; what asked goes on without. Milliseconds. */
export const COMMAND_MS = 500;
const CONNECT_MS = 2_000;
const MAX_RETRY_MS = 1_000;

/** What we need of a client; a Cluster's and a single server's are alike in it. */
export interface RedisClient {
  readonly status: string;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  evalsha(sha1: string, numberOfKeys: number, ...rest: string[]): Promise<unknown>;
  eval(text: string, numberOfKeys: number, ...rest: string[]): Promise<unknown>;
  publish(channel: string, message: Buffer): Promise<number>;
  spublish(channel: string, message: Buffer): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  ssubscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  sunsubscribe(...channels: string[]): Promise<unknown>;
  ping(): Promise<string>;
  on(event: "ready" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "messageBuffer" | "smessageBuffer", listener: (channel: Buffer, message: Buffer) => void): unknown;
}

/** Not connected yet. Nothing waits for a server that is away, and nothing is sent twice. */
export function newClient(target: RedisTarget): RedisClient {
  endOnStrangeAnswers();
  const redisOptions = optionsFor(target);
  if (target.kind !== "cluster") return new Redis({ ...redisOptions, ...whereabouts(target), retryStrategy });
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    shardedSubscribers: true,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: CONNECT_MS,
    slotsRefreshInterval: 5_000,
    retryDelayOnFailover: 100,
    maxRedirections: 4,
    redisOptions,
  };
  return new Cluster([...target.hosts], options);
}

/** By its hash; in full to a server that does not know it yet. */
export async function evaluate(
  client: RedisClient,
  { text, sha1 }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const rest = [...keys, ...args.map(String)];
  try {
    return await client.evalsha(sha1, keys.length, ...rest);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return client.eval(text, keys.length, ...rest);
  }
}

function optionsFor({ username, password, tls }: RedisTarget) {
  const options = {
    lazyConnect: true,
    commandTimeout: COMMAND_MS,
    connectTimeout: CONNECT_MS,
    keepAlive: 10_000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false, // done by ourselves: here a failure would be an unhandled rejection
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"), // the master has moved
    connectionName: "p2p",
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  return options satisfies RedisOptions;
}

function whereabouts({ kind, hosts, database, master, tls, sentinelUsername, sentinelPassword }: RedisTarget) {
  const [first] = hosts;
  if (kind === "single") return { host: first?.host ?? "", port: first?.port ?? 0, db: database };
  return {
    sentinels: hosts.map(({ host, port }) => ({ host, port })),
    name: master,
    db: database,
    sentinelRetryStrategy: retryStrategy,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  };
}

/** Spread, so that not all nodes come back in the same millisecond. */
function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), MAX_RETRY_MS) * (0.75 + Math.random() / 2);
}
