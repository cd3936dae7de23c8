import type { SharedStores } from "../shared.ts";
import { MemoryAttempts } from "./attempts.ts";
import { MemoryBus } from "./bus.ts";
import { MemoryPresenceStore } from "./presence-store.ts";
import { MemoryRateBuckets } from "./rate-buckets.ts";

/** For a server that is one process. */
export function openSharedMemory(): SharedStores {
  const [presence, bus] = [new MemoryPresenceStore(), new MemoryBus()];
  const [buckets, attempts] = [new MemoryRateBuckets(), new MemoryAttempts()];
  return {
    presence,
    bus,
    buckets,
    attempts,
    async [Symbol.asyncDispose]() {
      for (const part of [presence, bus, buckets, attempts]) await part[Symbol.asyncDispose]();
    },
  };
}
