import { MemoryRateBuckets } from "../../src/store/memory/rate-buckets.ts";
import { openSharedStores } from "../../src/store/open.ts";
import type { SharedStores } from "../../src/store/shared.ts";
import { busContract } from "./bus.ts";
import { presenceStoreContract } from "./presence-store.ts";
import { rateBucketsContract } from "./rate-buckets.ts";

/** What two nodes that share a place promise: presence, bus and rate limits. */
export function sharedStoresContract(name: string, freshUrl: () => string): void {
  presenceStoreContract({ name, place: () => onTwoNodes(freshUrl(), ({ presence }) => presence) });
  busContract({ name, place: () => onTwoNodes(freshUrl(), ({ bus }) => bus) });
  const place = async () =>
    Object.assign(await onTwoNodes(freshUrl(), ({ buckets }) => buckets), { advance: Bun.sleep });
  rateBucketsContract({ name, place });
}

/** The same for a server that is one process, where both nodes are one. */
export function memoryContract(): void {
  presenceStoreContract({ name: "memory", place: () => onOneNode(({ presence }) => presence) });
  busContract({ name: "memory", place: () => onOneNode(({ bus }) => bus) });
  rateBucketsContract({ name: "memory", place: async () => bucketsWithClock() });
}

async function onTwoNodes<Part>(url: string, part: (stores: SharedStores) => Part) {
  const stores = [await openSharedStores(url), await openSharedStores(url)] as const;
  return {
    nodes: [part(stores[0]), part(stores[1])] as const,
    async [Symbol.asyncDispose]() {
      for (const each of stores) await each[Symbol.asyncDispose]();
    },
  };
}

async function onOneNode<Part>(part: (stores: SharedStores) => Part) {
  const stores = await openSharedStores("memory:");
  const node = part(stores);
  return { nodes: [node, node] as const, [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() };
}

function bucketsWithClock() {
  let now = 0;
  const buckets = new MemoryRateBuckets(() => now);
  return {
    nodes: [buckets, buckets] as const,
    advance: async (ms: number) => {
      now += ms;
    },
    [Symbol.asyncDispose]: () => buckets[Symbol.asyncDispose](),
  };
}
