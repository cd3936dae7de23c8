import { afterAll, beforeAll, expect, test } from "bun:test";
import { toBase32, toHex, utf8 } from "../../src/wire/bytes.ts";
import { CHANNEL_BUDGET_BYTES } from "../../src/wire/limits.ts";
import { relay } from "../../src/wire/messages/relay.ts";
import { purposes } from "../../src/wire/messages/signalling.ts";
import { hmacSha256 } from "../../src/wire/noise/primitives.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { PASSWORD, Stage, type TestPeer } from "./server-stage.ts";

let stage: Stage;
beforeAll(async () => void (stage = await Stage.open()));
afterAll(() => stage[Symbol.asyncDispose]());

const newSession = () => systemRandom(16);
const versions = Uint8Array.of(1);

function ring(asker: TestPeer, name: string, session: Uint8Array, ...asked: readonly TestPeer[]): void {
  const previews = asked.map((peer) => ({ device: peer.deviceId, sealed: utf8(`for ${name}`) }));
  asker.tell({ kind: "ring", session, name, purpose: purposes.chat, previews });
}

/** A session between two, accepted. */
async function paired(asker: TestPeer, accepter: TestPeer): Promise<Uint8Array> {
  const session = newSession();
  ring(asker, accepter.me?.name ?? "", session, accepter);
  await accepter.hear("incoming");
  accepter.tell({ kind: "accept", session, versions, handshake: utf8("first"), hidden: false });
  await asker.hear("accepted");
  await Promise.all([asker.hear("observed"), accepter.hear("observed")]);
  return session;
}

test("two people register, see each other, ring, accept and forward", async () => {
  const ana = await stage.register("ana");
  const ben = await stage.present("ben");
  expect(await ana.request({ kind: "listPeople", after: "", limit: 10 })).toMatchObject({
    people: [
      { name: "ana", online: false },
      { name: "ben", online: true },
    ],
    more: false,
  });
  expect(await ana.request({ kind: "findPerson", name: "Ben" })).toMatchObject({
    kind: "person",
    name: "ben",
    userId: ben.me?.userId,
    devices: [
      { id: ben.deviceId, key: ben.keys.publicKey, signKey: ben.signing.publicKey, label: "ben's", online: true },
    ],
  });

  const session = newSession();
  ring(ana, "ben", session, ben);
  expect(await ana.hear("ringing")).toMatchObject({ session });
  expect(await ben.hear("incoming")).toMatchObject({
    session,
    name: "ana",
    userId: ana.me?.userId,
    device: { id: ana.deviceId, key: ana.keys.publicKey, signKey: ana.signing.publicKey },
    purpose: purposes.chat,
    preview: utf8("for ben"),
  });
  ben.tell({ kind: "accept", session, versions, handshake: utf8("first"), hidden: false });
  expect(await ana.hear("accepted")).toMatchObject({
    session,
    device: ben.deviceId,
    versions,
    handshake: utf8("first"),
  });
  expect(await ana.hear("observed")).toMatchObject({ session, addresses: [] });
  ana.tell({ kind: "forward", session, body: utf8("sealed") });
  expect(await ben.hear("forward")).toEqual({ kind: "forward", session, body: utf8("sealed") });
  ana.tell({ kind: "hangUp", session, path: "lan" });
  expect(await ben.hear("gone")).toMatchObject({ session, code: "peer-gone" });
});

test("relay legs carry packets to the other end of their pairing, and into its channel while it has none", async () => {
  const [ana, ben] = [await stage.register("ana.leg"), await stage.present("ben.leg")];
  const session = await paired(ana, ben);
  await using anasLeg = await openLeg(ana, session);
  anasLeg.send(utf8("early"));
  expect(await ben.hear("forward")).toMatchObject({ session, body: utf8("early") });
  await using bensLeg = await openLeg(ben, session);
  anasLeg.send(utf8("to ben"));
  bensLeg.send(utf8("to ana"));
  expect(await bensLeg.next()).toEqual(utf8("to ben"));
  expect(await anasLeg.next()).toEqual(utf8("to ana"));
  ben.tell({ kind: "hangUp", session, path: "relay-ws" });
  expect(await anasLeg.closed).toBe(1_000);
});

test("a session has 64 KiB each way inside the channels, and its end is told once", async () => {
  const [ana, ben] = [await stage.register("ana.budget"), await stage.present("ben.budget")];
  const session = await paired(ana, ben);
  for (let sent = 0; sent < CHANNEL_BUDGET_BYTES; sent += 16_384)
    ana.tell({ kind: "forward", session, body: new Uint8Array(16_384) });
  ana.tell({ kind: "forward", session, body: utf8("too much") });
  expect(await ana.hear("failed")).toMatchObject({ code: "limited" });
  ben.tell({ kind: "forward", session, body: utf8("other way") });
  expect(await ana.hear("forward")).toMatchObject({ body: utf8("other way") });
  expect(ben.unheard.filter(({ kind }) => kind === "forward").length).toBe(4);
});

test("who comes back with the session gets it again, and both ends a sign of it", async () => {
  const [ana, ben] = [await stage.register("ana.back"), await stage.present("ben.back")];
  const session = await paired(ana, ben);
  ben.close();
  expect(await ana.hear("gone")).toMatchObject({ session, code: "offline" });
  const again = await stage.connect(ben.keys);
  expect(await again.signIn(ben.me?.token)).toMatchObject({
    kind: "signedIn",
    name: "ben.back",
    deviceId: ben.deviceId,
  });
  const sessions = [{ session, peerKey: ana.keys.publicKey }];
  again.tell({ kind: "answer", answers: 1, people: [], rank: 1, sessions });
  expect(await ana.hear("observed")).toMatchObject({ session });
  expect(await again.hear("observed")).toMatchObject({ session });
  ana.tell({ kind: "forward", session, body: utf8("resume") });
  expect(await again.hear("forward")).toMatchObject({ session, body: utf8("resume") });
});

test("bad input 178: at level debug the log of all this holds no secret", async () => {
  const ana = await stage.register("ana.secret");
  await (await stage.connect()).enrol("ana.secret", "wrong horse battery");
  const log = stage.log.join("");
  expect(log).toContain("wrong-password");
  const token = ana.me?.token ?? "";
  const secrets = [ana.keys.exportPrivateKey(), ana.keys.publicKey, stage.invite, ana.me?.userId ?? stage.invite];
  const spellings = secrets.flatMap((bytes) => [
    toHex(bytes),
    toBase32(bytes),
    Buffer.from(bytes).toString("base64url"),
  ]);
  for (const text of [PASSWORD, "wrong horse battery", token, token.split(".")[1] ?? token, ...spellings])
    expect([text, log.includes(text)]).toEqual([text, false]);
});

interface TestLeg extends AsyncDisposable {
  readonly closed: Promise<number>;
  send(packets: Uint8Array): void;
  next(): Promise<Uint8Array>;
}

async function openLeg(peer: TestPeer, session: Uint8Array): Promise<TestLeg> {
  const leg = await peer.request({ kind: "openLeg", session });
  if (leg.kind !== "leg") throw new Error(`no leg but ${leg.kind}`);
  const socket = new WebSocket(stage.url("/v1/relay"));
  socket.binaryType = "arraybuffer";
  const received: Uint8Array[] = [];
  let wake = () => {};
  socket.addEventListener("message", ({ data }) => {
    received.push(new Uint8Array(data as ArrayBuffer));
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  const next = async (): Promise<Uint8Array> => {
    for (;;) {
      const bytes = received.shift();
      if (bytes !== undefined) return bytes;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const challenge = relay.decode(await next());
  if (challenge.kind !== "challenge") throw new Error("no challenge");
  const mac = hmacSha256(leg.key, utf8("p2p leg"), challenge.nonce, leg.leg);
  socket.send(relay.encode({ kind: "bind", leg: leg.leg, mac }));
  expect(relay.decode(await next())).toEqual({ kind: "bound" });
  const dispose = async () => (socket.close(), void (await closed));
  return { closed, next, send: (packets) => socket.send(packets), [Symbol.asyncDispose]: dispose };
}
