import { afterAll } from "bun:test";
import { startRedisCluster, startRedisSentinel } from "../support/redis-groups.ts";
import { hasRedis, startRedis } from "../support/redis.ts";
import { notHere } from "./not-here.ts";
import { memoryContract, sharedStoresContract } from "./shared-stores.ts";

memoryContract();

if (hasRedis) {
  for (const [name, start] of [
    ["redis", startRedis],
    ["redis, Cluster", startRedisCluster],
    ["redis, Sentinel", startRedisSentinel],
  ] as const) {
    const redis = await start();
    sharedStoresContract(name, () => redis.freshUrl());
    afterAll(() => redis[Symbol.asyncDispose]());
  }
} else notHere("SharedStores (redis)", "no redis-server");
