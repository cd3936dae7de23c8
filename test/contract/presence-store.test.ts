import { afterAll } from "bun:test";
import { openSharedStores } from "../../src/store/open.ts";
import { hasRedis, startRedis } from "../support/redis.ts";
import { notHere } from "./not-here.ts";
import { type PresencePlace, presenceStoreContract } from "./presence-store.ts";

presenceStoreContract({ name: "memory", place: inMemory });

if (hasRedis) {
  const redis = await startRedis();
  presenceStoreContract({ name: "redis", place: () => inRedis(redis.freshUrl()) });
  afterAll(() => redis[Symbol.asyncDispose]());
} else notHere("PresenceStore (redis)", "no redis-server");

async function inMemory(): Promise<PresencePlace> {
  const { presence } = await openSharedStores("memory:");
  return { nodes: [presence, presence], [Symbol.asyncDispose]: () => presence[Symbol.asyncDispose]() };
}

async function inRedis(url: string): Promise<PresencePlace> {
  const nodes = [await openSharedStores(url), await openSharedStores(url)] as const;
  return {
    nodes: [nodes[0].presence, nodes[1].presence],
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}
