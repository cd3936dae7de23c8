import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { formatJoinLine } from "../../../../../src/modes/cli/join-line.ts";
import { startOwnServer } from "../../../../../src/modes/peer/guided/own-server.ts";
import { temporaryFolder, type TemporaryFolder } from "../../../../support/folder.ts";

const never = new AbortController().signal;
const key = `${"a".repeat(51)}q`;
const invite = "a".repeat(26);

/** A program in place of this one: answers `server --json` with the first line, `server invite …` with the second. */
function stand(folder: TemporaryFolder, ready: object, invitation: object): readonly string[] {
  const script = `${folder.path}/stand-in.ts`;
  writeFileSync(
    script,
    `const invited = process.argv[3] === "invite";
     console.log(JSON.stringify(invited ? ${JSON.stringify(invitation)} : ${JSON.stringify(ready)}));
     if (!invited) setInterval(() => {}, 1_000);`,
  );
  return [process.execPath, script];
}

test("a server of one's own is ready when it says so, and ends with its disposal", async () => {
  using folder = temporaryFolder();
  const join = `p2p://10.0.0.2:7420/#${key}.${invite}`;
  const own = await startOwnServer(stand(folder, { event: "ready", join }, {}), never);
  expect(formatJoinLine(own.line)).toBe(join);
  await own[Symbol.asyncDispose]();
});

test("a server that had its first start before gives a new invitation", async () => {
  using folder = temporaryFolder();
  const join = `p2p://10.0.0.2:7420/#${key}`;
  const self = stand(folder, { event: "ready", join }, { event: "invite", join: `${join}.${invite}` });
  await using own = await startOwnServer(self, never);
  expect(formatJoinLine(own.line)).toBe(`${join}.${invite}`);
});

test("a server that does not start tells why in its own words", async () => {
  using folder = temporaryFolder();
  const error = { event: "error", code: "port-in-use", message: "port 7420 is taken", hint: "end the other one" };
  const starting = startOwnServer(stand(folder, error, {}), never);
  await expect(starting).rejects.toMatchObject({
    code: "port-in-use",
    message: "cannot start a server here: port 7420 is taken",
    hint: "end the other one",
  });
});

test("a server that ends without a word is no server", async () => {
  await expect(startOwnServer([process.execPath, "-e", ""], never)).rejects.toMatchObject({ code: "internal" });
});
