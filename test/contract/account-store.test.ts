import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAccountStore } from "../../src/store/open.ts";
import { type AccountPlace, accountStoreContract } from "./account-store.ts";

accountStoreContract({ name: "memory", place: inMemory });
accountStoreContract({ name: "sqlite", place: inFile });

async function inMemory(): Promise<AccountPlace> {
  const store = await openAccountStore("memory:");
  return { nodes: [store, store], [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

async function inFile(): Promise<AccountPlace> {
  const folder = await mkdtemp(join(tmpdir(), "p2p-store-"));
  const url = `sqlite:${join(folder, "accounts.db")}`;
  const nodes = [await openAccountStore(url), await openAccountStore(url)] as const;
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
