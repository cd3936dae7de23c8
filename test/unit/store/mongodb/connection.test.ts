import { expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { Connection } from "../../../../src/store/mongodb/connection.ts";

test("a driver that has had no answer for 2.5 s is made anew, and then left as long again", async () => {
  let now = 0;
  const makeDatabase = () => new MongoClient("mongodb://127.0.0.1:1/").db("p2p");
  await using connection = new Connection(
    () => "MongoDB",
    makeDatabase,
    () => now,
  );
  const databases = [connection.db];
  for (const [atMs, answered] of [
    [2_000, true],
    [4_499, false],
    [4_500, false],
    [6_999, false],
    [7_000, false],
  ] as const) {
    now = atMs;
    if (answered) connection.noteAnswer();
    else connection.noteSilence();
    if (databases.at(-1) !== connection.db) databases.push(connection.db);
    expect(connection.collections.accounts.dbName).toBe("p2p");
  }
  expect(databases).toHaveLength(3);
});
