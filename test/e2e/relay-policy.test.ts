import { expect, test } from "bun:test";
import { Community } from "../support/community.ts";

test("a server with --no-relay carries handshake and candidates, and the words go directly", async () => {
  await using town = await Community.found({ flags: ["--no-relay"] });
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using receiver = await ben.receiving();
  const { exitCode, events } = await ana.run("msg", "ben", "hi");
  expect(exitCode).toBe(0);
  expect(events.map(({ event }) => event)).toContain("path");
  expect(await receiver.waitFor("message")).toMatchObject({ from: "ana", text: "hi" });
});
