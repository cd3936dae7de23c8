import { expect, test } from "bun:test";
import { join } from "node:path";
import { Community } from "../support/community.ts";
import { randomFile, sha256Of } from "../support/files.ts";

/** What loopback lets a session send, where fragments can be forbidden. Bytes. */
const LONGEST = process.platform === "linux" ? 8_952 : 1_200;

test("on one machine packets grow to a jumbo frame's length, --verbose says so, and a file comes through", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  const path = join(town.folder, "long");
  const hash = await randomFile(path, 8 * 2 ** 20);
  await using receiver = await ben.receiving("--yes", "--once");
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben", "--verbose");
  await chat.waitFor("stats", (stats) => stats.path === "lan" && stats.mtuBytes === LONGEST);
  chat.endInput("bye\n");
  expect(await chat.exited).toBe(0);
  const sent = await ana.run("send", "--verbose", path, "@ben");
  expect(sent).toMatchObject({ exitCode: 0 });
  expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
  expect(await sha256Of(join(ben.inbox, "long"))).toBe(hash);
  const told = sent.events.flatMap((event) => (event.event === "stats" && event.path === "lan" ? [event] : []));
  expect(told.at(-1)).toMatchObject({ final: true, mtuBytes: LONGEST });
});
