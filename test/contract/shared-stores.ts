import { MemoryAttempts } from "../../src/store/memory/attempts.ts";
import { MemoryRateBuckets } from "../../src/store/memory/rate-buckets.ts";
import { openSharedStores } from "../../src/store/open.ts";
import type { SharedStores } from "../../src/store/shared.ts";
import { attemptsContract } from "./attempts.ts";
import { busContract } from "./bus.ts";
import { presenceStoreContract } from "./presence-store.ts";
import { rateBucketsContract } from "./rate-buckets.ts";

/** What two nodes that share a place promise: presence, bus, rate limits and attempts. */
export function sharedStoresContract(name: string, freshUrl: () => string): void {
  presenceStoreContract({ name, place: () => onTwoNodes(freshUrl(), ({ presence }) => presence) });
  busContract({ name, place: () => onTwoNodes(freshUrl(), ({ bus }) => bus) });
  const advance = Bun.sleep;
  rateBucketsContract({
    name,
    place: async () => Object.assign(await onTwoNodes(freshUrl(), ({ buckets }) => buckets), { advance }),
  });
  attemptsContract({
    name,
    place: async () => Object.assign(await onTwoNodes(freshUrl(), ({ attempts }) => attempts), { advance }),
  });
}

/** The same for a server that is one process, where both nodes are one. */
export function memoryContract(): void {
  presenceStoreContract({ name: "memory", place: () => onOneNode(({ presence }) => presence) });
  busContract({ name: "memory", place: () => onOneNode(({ bus }) => bus) });
  rateBucketsContract({ name: "memory", place: async () => withClock((now) => new MemoryRateBuckets(now)) });
  attemptsContract({ name: "memory", place: async () => withClock((now) => new MemoryAttempts(now)) });
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

function withClock<Part extends AsyncDisposable>(open: (now: () => number) => Part) {
  let now = 0;
  const part = open(() => now);
  return {
    nodes: [part, part] as const,
    advance: async (ms: number) => {
      now += ms;
    },
    [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
  };
}
