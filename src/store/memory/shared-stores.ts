import type { SharedStores } from "../shared.ts";
import { MemoryBus } from "./bus.ts";
import { MemoryPresenceStore } from "./presence-store.ts";
import { MemoryRateBuckets } from "./rate-buckets.ts";

/** For a server that is one process. */
export function openSharedMemory(): SharedStores {
  const [presence, bus, buckets] = [new MemoryPresenceStore(), new MemoryBus(), new MemoryRateBuckets()];
  return {
    presence,
    bus,
    buckets,
    async [Symbol.asyncDispose]() {
      for (const part of [presence, bus, buckets]) await part[Symbol.asyncDispose]();
    },
  };
}
