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

test("--require-verified lets nobody ring whose number was not compared, and everybody whose was", async () => {
  await using town = await Community.found();
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using before = await ben.receiving();
  expect((await ana.run("msg", "ben", "hi")).exitCode).toBe(0);
  before.signal("SIGTERM");
  await before.exited;
  await using strict = await ben.receiving("--yes", "--require-verified");
  expect((await ana.run("msg", "ben", "hi")).exitCode).toBe(5);
  const number = (await ben.run("verify", "ana")).events.find((event) => event.event === "number");
  expect((await ben.run("verify", "ana", "--matches", number?.digits ?? "")).exitCode).toBe(0);
  expect((await ana.run("msg", "ben", "now")).exitCode).toBe(0);
  expect(await strict.waitFor("message")).toMatchObject({ text: "now" });
});
