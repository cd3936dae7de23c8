import { openPresenceStore } from "../../src/store/open.ts";
import { type PresencePlace, presenceStoreContract } from "./presence-store.ts";

presenceStoreContract({ name: "memory", place: inMemory });

async function inMemory(): Promise<PresencePlace> {
  const store = await openPresenceStore("memory:");
  return { nodes: [store, store], [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}
