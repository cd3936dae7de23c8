import { expect, test } from "bun:test";
import { concat, fromHex } from "../../src/wire/bytes.ts";
import { newNodeId } from "../../src/wire/cluster/node-id.ts";
import { NodeOpener, NodeSealer } from "../../src/wire/cluster/node-seal.ts";
import { WireError } from "../../src/wire/errors.ts";
import { type NodeMessage, nodeMessages } from "../../src/wire/messages/nodes.ts";
import { Seeded } from "../sim/seeded.ts";
import { flipBit } from "../support/bytes.ts";
import { pick } from "../support/raw-datagrams.ts";
import { hostileMessages, messagesOfProtocol, plausibleMessages } from "../support/raw-messages.ts";
import type { House, LocalPeer } from "../unit/modes/server/house.ts";
import { Neighbourhood } from "../unit/modes/server/neighbourhood.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);
const samples = [...messagesOfProtocol("12. ").values()];
const signalled = [...messagesOfProtocol("5. ").values()];
const ENVELOPES = 50_000;
const MESSAGES = 20_000;
const PER_TURN = 50;

test(`bad input 187: none of ${ENVELOPES} envelopes that are changed or made up opens, and what is genuine does (seed ${seed})`, () => {
  const numbers = new Seeded(seed);
  const [secret, keys] = [numbers.bytes(32), numbers.bytes(32)];
  const [from, to] = [newNodeId(keys, keys, numbers.bytes), newNodeId(keys, keys, numbers.bytes)];
  const [sealer, opener] = [new NodeSealer(secret, from), new NodeOpener(secret, to)];
  const strangers = new NodeSealer(numbers.bytes(32), from);
  for (let count = 0; count < ENVELOPES; count++) {
    const message = pick(numbers, samples);
    const genuine = sealer.seal(to, message);
    expect(opener.open(hostileEnvelope(numbers, genuine, strangers.seal(to, message)))).toBeNull();
    if (count % 10 === 0) expect(opener.open(genuine)).toEqual({ from, message });
  }
});

function hostileEnvelope(numbers: Seeded, genuine: Uint8Array, stranger: Uint8Array): Uint8Array {
  switch (numbers.between(0, 5)) {
    case 0:
      return numbers.bytes(numbers.between(0, 300));
    case 1:
      return flipBit(genuine, numbers.between(0, genuine.length * 8 - 1));
    case 2:
      return genuine.subarray(0, numbers.between(0, genuine.length - 1));
    case 3:
      return concat(genuine, numbers.bytes(numbers.between(1, 50)));
    case 4:
      return concat(genuine.subarray(0, 21), numbers.bytes(numbers.between(0, 200)));
    default:
      return stranger;
  }
}

test(`bad input 187: a node of ours that says ${MESSAGES} things that mean nothing does no harm (seed ${seed})`, async () => {
  await using place = await Neighbourhood.open();
  const [ana, ben] = [await place.present("ana", 1, 0), await place.present("ben", 1, 1)];
  const numbers = new Seeded(seed);
  const mad = new MadNode(place, numbers, [ana, ben]);
  for (let count = 0; count < MESSAGES; count += PER_TURN) {
    for (let at = 0; at < PER_TURN; at++) await mad.say();
    await place.settled();
    if (count % 1_000 === 0) await place.lookAround();
  }
  await place.lookAround();
  for (const { logged } of place.houses)
    expect(logged.filter((line) => /defect|trouble|request-failed/.test(line)).slice(0, 3)).toEqual([]);
  expect([ana.closeCode, ben.closeCode]).toEqual([null, null]);
  const carl = await place.member("carl", 0);
  expect(await carl.request({ kind: "listPeople", after: "", limit: 9 })).toMatchObject({
    people: [
      { name: "ana", online: true },
      { name: "ben", online: true },
      { name: "carl", online: false },
    ],
  });
  expect(mad.said).toBeGreaterThan(MESSAGES / 4); // so many were of the table
}, 60_000);

/** Has the server's secret, and no sense. */
class MadNode {
  /** How many of what it said the table lets through. */
  said = 0;
  readonly #place: Neighbourhood;
  readonly #numbers: Seeded;
  readonly #members: readonly LocalPeer[];
  readonly #sealer: NodeSealer;
  readonly #hostile: Generator<Uint8Array, never>;
  readonly #plausible: Generator<Uint8Array, never>;

  constructor(place: Neighbourhood, numbers: Seeded, members: readonly LocalPeer[]) {
    const { channel, signing } = place.houses[0].options.keys;
    this.#place = place;
    this.#numbers = numbers;
    this.#members = members;
    this.#sealer = new NodeSealer(
      channel.exportPrivateKey(),
      newNodeId(channel.publicKey, signing.publicKey, numbers.bytes),
    );
    this.#hostile = hostileMessages(numbers, samples);
    this.#plausible = plausibleMessages(numbers, signalled);
  }

  async say(): Promise<void> {
    const house = pick(this.#numbers, this.#place.houses);
    const plain = this.#numbers.chance(0.5) ? this.#hostile.next().value : nodeMessages.encode(this.#sensible(house));
    if (isOfTable(plain)) this.said++;
    if (plain.length > 32_768) return;
    const { id } = house.services.link;
    await house.options.bus.publish(id, this.#sealer.seal(fromHex(id) ?? new Uint8Array(), plain));
  }

  /** About channels and people that there are; those are not told that they are revoked. */
  #sensible(house: House): NodeMessage {
    const numbers = this.#numbers;
    const to = this.#connection(house);
    const { userId = numbers.bytes(16), deviceId = numbers.bytes(16) } = pick(numbers, this.#members).me ?? {};
    const { publicKey: deviceKey } = pick(numbers, this.#members).keys;
    const observed = [{ address: numbers.bytes(pick(numbers, [0, 3, 4, 16])), port: numbers.between(0, 65_535) }];
    const from = { connection: this.#connection(house), userId, name: "ana", deviceId, deviceKey, observed };
    const session = new Uint8Array(16).fill(numbers.between(0, 3));
    const message = this.#plausible.next().value;
    return pick<NodeMessage>(numbers, [
      { kind: "deliver", to, message },
      { kind: "ringing", to, device: deviceId, asker: from, message },
      { kind: "crossed", session },
      { kind: "said", from, message },
      { kind: "observed", from },
      { kind: "left", connection: numbers.bytes(16) },
      { kind: "claim", from, session, peerKey: deviceKey, hidden: false },
      { kind: "hosted", to, session },
      { kind: "revoked", devices: [numbers.bytes(16)] },
      { kind: "blocked", userId, name: "ana", otherId: numbers.bytes(16), blocked: numbers.chance(0.5) },
    ]);
  }

  #connection({ services }: House): Uint8Array {
    const members = services.members.all();
    const known = members.length === 0 ? null : fromHex(pick(this.#numbers, members).id);
    return known !== null && this.#numbers.chance(0.7) ? known : this.#numbers.bytes(16);
  }
}

function isOfTable(bytes: Uint8Array): boolean {
  try {
    nodeMessages.decode(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
    return false;
  }
}
