import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { CHANNEL_SUBPROTOCOL } from "../../src/wire/limits.ts";
import { type Finished, run } from "../support/binary.ts";
import { Community } from "../support/community.ts";

/** Runs until the server has had enough. @returns the last run */
async function untilLimited(atMost: number, attempt: () => Promise<Finished>): Promise<Finished> {
  const runs = [await attempt()];
  while (runs.at(-1)?.exitCode !== 11 && runs.length < atMost) runs.push(await attempt());
  return runs.at(-1) ?? attempt();
}

/** What is said when it is too much: of whom, and when to come again. */
function expectRetryTime({ exitCode, events }: Finished, told: { readonly code: string; readonly message: string }) {
  expect(events.at(-1)).toMatchObject({
    event: "error",
    ...told,
    side: "server",
    exit: 11,
    hint: expect.stringMatching(/^try again in \d+ s$/),
  });
  expect(exitCode).toBe(11);
}

test("bad input 61: who types wrong passwords is told when to try again", async () => {
  await using town = await Community.found({ env: { P2P_LIMIT_GUESSES_PER_ACCOUNT: "1" } });
  await town.register("ana");
  const stranger = await town.newcomer("ana", {}, "stranger");
  await writeFile(stranger.passwordFile, "correct horse of somebody else\n");
  const attempt = () => stranger.run("login", "ana", "--password-file", stranger.passwordFile);
  expect((await attempt()).events.at(-1)).toMatchObject({ code: "wrong-password", exit: 3 });
  expectRetryTime(await untilLimited(12, attempt), { code: "limited", message: "too many wrong answers" });
});

test("bad input 69: who comes when enough have registered is told when to try again", async () => {
  await using town = await Community.found({ env: { P2P_LIMIT_REGISTRATIONS: "1" }, flags: ["--open-registration"] });
  await town.register("ana");
  const other = await town.newcomer("ana", {}, "other"); // loopback has ten times the limit, and a name taken counts too
  const last = await untilLimited(12, () => other.run("register", "ana", "--password-file", other.passwordFile));
  expectRetryTime(last, { code: "limited", message: "too many people registered from this address" });
});

test("bad input 88: who rings too often is told when to try again", async () => {
  await using town = await Community.found({ env: { P2P_LIMIT_RINGS: "1" } });
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  await using receiver = await ben.receiving("--no");
  await untilLimited(3, () => ana.run("msg", "ben", "hello"));
  expectRetryTime(await ana.run("msg", "ben", "hello"), {
    code: "limited",
    message: "cannot reach ben: too many calls",
  });
  receiver.signal("SIGTERM");
});

test("who finds the server busy, and may not wait, is told when to try again", async () => {
  await using town = await Community.found({ env: { P2P_LIMIT_NEWCOMERS: "1" } });
  const ana = await town.register("ana");
  const newcomer = new WebSocket(`ws://${town.http}/v1/channel`, [CHANNEL_SUBPROTOCOL]);
  await new Promise((resolve) => newcomer.addEventListener("open", resolve));
  const message = "the server has too much to do at the moment";
  expectRetryTime(await ana.run("users", "--wait", "1"), { code: "busy", message });
  const { stderr } = await run(["users", "--wait", "1", "--home", ana.home]);
  expect(stderr).toBe(`p2p: error: ${message}\np2p: hint: try again in 2 s\n`);
  newcomer.close();
});
