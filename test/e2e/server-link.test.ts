import { expect, test } from "bun:test";
import { ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { EvilServer } from "../support/evil-server.ts";

const identity = { keys: KeyPair.generate(systemRandom), signing: SigningKeyPair.generate(systemRandom) };

function linkTo({ port, keys }: EvilServer): ServerLink {
  const nodes = [{ host: "127.0.0.1", port }];
  return new ServerLink({ secure: false, nodes, key: keys.publicKey }, identity.keys);
}

async function registered(server: EvilServer): Promise<ServerLink> {
  const link = linkTo(server);
  const [signKey, deviceList] = [identity.signing.publicKey, ownDeviceList(identity)];
  const rest = { name: "ana", password: "correct horse", label: "a", signKey, deviceList, invite: null };
  await link.signIn({ kind: "register", ...rest });
  return link;
}

/** Until the test's own time is over. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(10);
}

function breakAll(server: EvilServer): void {
  for (const visitor of server.visitors) visitor.hangUp();
}

test("a server that refuses each sign-in for now is asked again by one try at a time, ever more rarely", async () => {
  await using server = new EvilServer();
  const link = await registered(server);
  const states: boolean[] = [];
  link.onState = (isUp) => void states.push(isUp);
  server.twist = (message) =>
    message.kind === "signedIn"
      ? [{ kind: "failed", request: message.request, code: "busy", message: "later", retryMs: 0 }]
      : [message];
  breakAll(server);
  const started = performance.now();
  await until(() => server.told("signIn").length >= 4);
  // Four tries are four pauses, of which the shortest are 100, 200, 400 and 800 ms.
  expect(performance.now() - started).toBeGreaterThan(1_400);
  expect(states).toEqual([false]);
  server.twist = (message) => [message];
  await until(() => states.length > 1);
  expect(states).toEqual([false, true]);
  expect(server.visitors.size).toBe(1);
  link.close();
}, 30_000);

test("a server that says when to come back is not asked before", async () => {
  await using server = new EvilServer();
  const link = await registered(server);
  server.twist = (message) =>
    message.kind === "signedIn"
      ? [{ kind: "failed", request: message.request, code: "busy", message: "later", retryMs: 60_000 }]
      : [message];
  breakAll(server);
  await until(() => server.told("signIn").length === 1);
  await Bun.sleep(1_500);
  expect(server.told("signIn")).toHaveLength(1);
  link.close();
});

test("a link that is closed while it connects leaves no channel behind", async () => {
  await using server = new EvilServer();
  const link = linkTo(server);
  const connecting = link.connect();
  link.close();
  await expect(connecting).rejects.toMatchObject({ code: "cancelled" });
  await until(() => server.visitors.size === 0);
  expect(link.isUp).toBe(false);
});
