import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { run } from "../support/binary.ts";
import { Community } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type MongoServer, startMongodb } from "../support/mongodb.ts";
import { notHere } from "./not-here.ts";

const mongodb = await startMongodb();
if ("missing" in mongodb) notHere("a server with accounts in MongoDB", mongodb.missing);
else {
  test("a server keeps its accounts in MongoDB: people register, talk, and are there after a restart", () =>
    onMongodb(mongodb.server));
  afterAll(() => mongodb.server[Symbol.asyncDispose]());
}

async function onMongodb(server: MongoServer): Promise<void> {
  await using database = server.database();
  await using town = await Community.found({ flags: ["--accounts", database.url] });
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using receiver = await ben.receiving();
  expect((await ana.run("msg", "ben", "hi")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ from: "ana", text: "hi" });
  receiver.signal("SIGTERM");
  town.server.signal("SIGTERM");
  expect(await town.server.exited).toBe(0);
  const users = await run(["server", "users", "--json", "--data", town.dataFolder], {
    env: { P2P_ACCOUNTS: database.url },
  });
  expect(users.events).toMatchObject([{ name: "ana" }, { name: "ben" }]);
}

test("a URL with a password is refused where others can read it, and taken from a file that they cannot", async () => {
  using folder = temporaryFolder();
  const url = "mongodb://p2p:secret@127.0.0.1:1/p2p";
  const refused = await run([
    "server",
    "--json",
    "--data",
    folder.at("data"),
    "--listen",
    "127.0.0.1:0",
    "--accounts",
    url,
  ]);
  expect(refused.events.at(-1)).toMatchObject({ event: "error", code: "usage", exit: 2 });
  expect(refused.stdout + refused.stderr).not.toContain("secret");
  writeFileSync(folder.at("url"), `${url}\n`, { mode: 0o644 });
  const line = [
    "server",
    "--json",
    "--data",
    folder.at("data"),
    "--listen",
    "127.0.0.1:0",
    "--accounts-file",
    folder.at("url"),
  ];
  expect((await run(line)).events.at(-1)).toMatchObject({ event: "error", code: "config" });
});
