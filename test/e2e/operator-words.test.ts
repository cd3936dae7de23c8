import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { run } from "../support/binary.ts";
import { Community } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";

test("a word to a server that never ran makes none", async () => {
  using folder = temporaryFolder();
  for (const words of [["invite"], ["users"], ["status"], ["revoke", "ana"], ["passwd", "ana"], ["key"]]) {
    const { exitCode, events, stdout } = await run(["server", ...words, "--json", "--data", folder.at("elsewhere")]);
    expect(events.at(-1)).toMatchObject({ event: "error", code: "config", exit: 2 });
    expect(exitCode).toBe(2);
    expect(stdout).not.toContain("p2p://");
  }
  expect(existsSync(folder.at("elsewhere"))).toBe(false);
});

test("a word to a server that has run is answered by its folder when it is down", async () => {
  await using town = await Community.found();
  await town.register("ana");
  town.server.signal("SIGTERM");
  await town.server.exited;
  const { exitCode, events } = await run(["server", "users", "--json", "--data", town.dataFolder]);
  expect(exitCode).toBe(0);
  expect(events).toMatchObject([{ event: "user", name: "ana", online: false }]);
});
