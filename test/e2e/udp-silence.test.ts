import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { start } from "../support/binary.ts";
import { Community } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Gun } from "../support/raw-datagrams.ts";

/** Somebody new, whose network lets no UDP out: asks where to send, and nothing is ever sent. */
async function comesIn(line: string, name: string): Promise<void> {
  const { secure, nodes, key, invite } = parseJoinLine(line);
  if (key === null) throw new Error("a join line without a key");
  const identity = { keys: KeyPair.generate(systemRandom), signing: SigningKeyPair.generate(systemRandom) };
  const link = new ServerLink({ secure, nodes, key }, identity.keys);
  const enrolment = { password: `correct horse ${name}`, label: name, signKey: identity.signing.publicKey };
  await link.signIn({ kind: "register", name, ...enrolment, deviceList: ownDeviceList(identity), invite });
  expect((await link.request({ kind: "getTicket" })).kind).toBe("ticket");
  link.close();
}

test("when three devices have signed in and no UDP has come, the server says once which ports to open", async () => {
  await using town = await Community.found();
  for (const name of ["ana", "ben"]) await comesIn(town.joinLine, name);
  for (const name of ["carl", "dora", "emil"]) await comesIn(town.joinLine, name);
  const said = await town.server.waitFor("finding");
  const ports = town.udp.map((place) => place.split(":").at(-1) ?? "");
  expect(said).toMatchObject({ level: "warning", message: expect.stringContaining(ports.join(", ")) });
  expect(said.hint).toBe(
    `open UDP ${ports.join(", ")} in the firewall (${ports.map((port) => `ufw allow ${port}/udp`).join(", ")}) and in the provider's panel`,
  );
  expect(town.server.events.filter(({ event }) => event === "finding")).toHaveLength(1);
});

test("without --json it stands on stderr, and stdout keeps to the join line; a port that was heard is not named", async () => {
  using folder = temporaryFolder();
  await using server = start(["server", "--data", join(folder.path, "data"), "--listen", "127.0.0.1:0"]);
  const line = (await server.waitForText(/p2p:\/\/\S+/)).trim();
  const port = Number(parseJoinLine(line).nodes[0]?.port);
  using gun = await Gun.load("127.0.0.1");
  // What looks like a question, of a ticket that there is not.
  gun.send(Uint8Array.of(1, 0x10, 0, 72, ...new Uint8Array(68)), { ip: "127.0.0.1", port });
  for (const name of ["ana", "ben", "carl"]) await comesIn(line, name);
  const said = await server.waitForText(/p2p: warning: 3 devices have signed in.*/);
  expect(said).toContain(`UDP port ${port + 1}:`);
  expect(server.stdout.trim()).toBe(line);
});

test("where UDP comes in, nothing is said", async () => {
  await using town = await Community.found();
  const people = [await town.register("ana"), await town.register("ben"), await town.register("carl")];
  for (const person of people) expect((await person.run("users")).exitCode).toBe(0);
  await Bun.sleep(4_000); // past the moment at which it would be said
  expect(town.server.events.filter(({ event }) => event === "finding")).toEqual([]);
});
