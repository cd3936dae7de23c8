import { afterAll } from "bun:test";
import { openAccountStore } from "../../src/store/open.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type MongoServer, startMongodb } from "../support/mongodb.ts";
import { type AccountPlace, accountStoreContract } from "./account-store.ts";
import { notHere } from "./not-here.ts";

accountStoreContract({ name: "memory", place: inMemory });
accountStoreContract({ name: "sqlite", place: inFile });

const mongodb = await startMongodb();
if ("missing" in mongodb) notHere("AccountStore (mongodb)", mongodb.missing);
else joinMongodb(mongodb.server);

function joinMongodb(server: MongoServer): void {
  accountStoreContract({
    name: server.kind === "ferretdb" ? "mongodb, FerretDB" : "mongodb",
    place: () => inMongodb(server),
  });
  afterAll(() => server[Symbol.asyncDispose]());
}

async function inMemory(): Promise<AccountPlace> {
  const store = await openAccountStore("memory:");
  return { nodes: [store, store], [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

async function inFile(): Promise<AccountPlace> {
  const folder = temporaryFolder();
  return opened(`sqlite:${folder.at("accounts.db")}`, async () => folder[Symbol.dispose]());
}

async function inMongodb(server: MongoServer): Promise<AccountPlace> {
  const database = server.database();
  return opened(database.url, () => database[Symbol.asyncDispose]());
}

async function opened(url: string, discard: () => PromiseLike<void>): Promise<AccountPlace> {
  const nodes = [await openAccountStore(url), await openAccountStore(url)] as const;
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
      await discard();
    },
  };
}
