import { expect, test } from "bun:test";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { ServerRoute } from "../../src/modes/peer/server-route.ts";
import { ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import { CHANNEL_BUDGET_BYTES } from "../../src/wire/limits.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { EvilServer } from "../support/evil-server.ts";

/** Signed in at this server as somebody new. */
async function linkTo(server: EvilServer): Promise<ServerLink> {
  const identity = { keys: KeyPair.generate(systemRandom), signing: SigningKeyPair.generate(systemRandom) };
  const nodes = [{ host: "127.0.0.1", port: server.port }];
  const link = new ServerLink({ secure: false, nodes, key: server.keys.publicKey }, identity.keys);
  const [signKey, deviceList] = [identity.signing.publicKey, ownDeviceList(identity)];
  const rest = { name: "ana", password: "correct horse", label: "a", signKey, deviceList, invite: null };
  await link.signIn({ kind: "register", ...rest });
  return link;
}

test("a relay leg that the server refuses is not asked for with each packet", async () => {
  await using server = new EvilServer();
  const link = await linkTo(server);
  const route = new ServerRoute(link, systemRandom(16));
  for (let sentBytes = 0; sentBytes < 2 * CHANNEL_BUDGET_BYTES; sentBytes += 1_200) {
    route.send(new Uint8Array(1_200));
    await link.request({ kind: "listDevices" });
  }
  const forwardedBytes = server.told("forward").reduce((sum, { body }) => sum + body.length, 0);
  expect(forwardedBytes).toBeLessThanOrEqual(CHANNEL_BUDGET_BYTES);
  expect(forwardedBytes).toBeGreaterThan(CHANNEL_BUDGET_BYTES - 1_200);
  expect(server.told("openLeg").length).toBeLessThanOrEqual(2);
  route.close();
  link.close();
});

test("a leg is remembered for whoever needs it first, and the server is asked again by who asks again", async () => {
  await using server = new EvilServer();
  server.relay.isOpen = true;
  const link = await linkTo(server);
  const route = new ServerRoute(link, systemRandom(16));
  route.foresee();
  expect([(await route.leg())?.ips, server.told("openLeg").length]).toEqual([["127.0.0.1"], 1]);
  expect([(await route.leg())?.ips, server.told("openLeg").length]).toEqual([["127.0.0.1"], 2]);
  route.close();
  link.close();
});
