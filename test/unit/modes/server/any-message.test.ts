import { expect, test } from "bun:test";
import fc from "fast-check";
import { packValue, type Value } from "../../../../src/wire/codec/msgpack.ts";
import { signalling } from "../../../../src/wire/messages/signalling.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { House, type LocalPeer } from "./house.ts";

// Messages that the table lets through, with contents that no program of ours would send: what is left is the server's own care.

const ids = Array.from({ length: 4 }, (_, at) => new Uint8Array(16).fill(at));
const keys = Array.from({ length: 3 }, (_, at) => new Uint8Array(32).fill(at));
const id = fc.constantFrom(...ids);
const key = fc.constantFrom(...keys);
const name = fc.oneof(
  fc.constantFrom("ana", "ben", "eve", "ANA", "", "__proto__", "me", "x".repeat(64), "\0", "a\r\nb", "$gt"),
  fc.string({ unit: "binary", maxLength: 16 }),
);
const small = fc.nat(255);
const bytes = fc.uint8Array({ maxLength: 64 });
const code = fc.constantFrom("declined", "busy", "nonsense", "", "answered-elsewhere");
const request = fc.constant(0);

/** Number of the message, then its fields; a request's number is filled in when it is said. */
const messages: fc.Arbitrary<readonly Value[]> = fc.oneof(
  fc.tuple(fc.constant(0x01), request, fc.option(fc.string({ maxLength: 40 }))),
  fc.tuple(fc.constant(0x05), request),
  fc.tuple(fc.constant(0x10), request),
  fc.tuple(fc.constant(0x12), request, id),
  fc.tuple(fc.constant(0x20), request, name, fc.nat(65_535)),
  fc.tuple(fc.constant(0x22), fc.array(name, { maxLength: 8 }), fc.boolean()),
  fc.tuple(fc.constant(0x24), request, name),
  fc.tuple(fc.constant(0x26), request, name, fc.boolean()),
  fc.tuple(
    fc.constant(0x30),
    small,
    fc.array(name, { maxLength: 16 }),
    small,
    fc.array(fc.tuple(id, key), { maxLength: 8 }),
  ),
  fc.tuple(fc.constant(0x40), id, name, small, fc.array(fc.tuple(id, bytes), { maxLength: 4 })),
  fc.tuple(fc.constant(0x43), id, fc.uint8Array({ maxLength: 8 }), bytes),
  fc.tuple(fc.constantFrom(0x44, 0x45), id, code),
  fc.tuple(fc.constant(0x48), id, bytes),
  fc.tuple(fc.constant(0x4a), id, fc.constantFrom("", "lan", "relay-ws")),
  fc.tuple(fc.constantFrom(0x4c, 0x50), request, id),
  fc.tuple(fc.constantFrom(0x41, 0x4b, 0x60, 0x63, 0x64), id, code),
);

function say(peer: LocalPeer, values: readonly Value[], nextRequest: number): void {
  const withRequest = REQUESTS.has(Number(values[0])) ? [values[0] ?? 0, nextRequest, ...values.slice(2)] : values;
  try {
    peer.tell(signalling.decode(packValue(withRequest)));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

const REQUESTS = new Set([0x01, 0x05, 0x10, 0x12, 0x20, 0x24, 0x26, 0x4c, 0x50]);

test("whatever the table lets through leads to an answer, never to a defect, and harms nobody else", async () => {
  const people = fc.constantFrom(0, 1);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(people, messages), { minLength: 1, maxLength: 60 }), async (script) => {
      await using house = await House.open();
      const peers = [await house.present("ana"), await house.present("ben")] as const;
      const witness = await house.present("witness");
      for (const [at, [who, values]] of script.entries()) {
        say(peers[who === 0 ? 0 : 1], values, at + 10);
        if (at % 8 === 0) await witness.settled();
        house.clock.advance(at % 3 === 0 ? 600 : 30);
      }
      await witness.settled();
      expect(house.logged.filter((line) => /request-failed|store-trouble|defect/.test(line))).toEqual([]);
      expect(await witness.request({ kind: "listPeople", after: "", limit: 9 })).toMatchObject({ kind: "people" });
      for (const peer of [...peers, witness]) peer.leave();
      await witness.settled();
      expect([house.services.members.size, house.services.hub.pairings.size]).toEqual([0, 0]);
      expect(await house.options.presence.online({ limit: 9 })).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
