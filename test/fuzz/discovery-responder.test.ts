import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeRequest } from "../../src/wire/messages/discovery.ts";
import { Responder } from "../../src/wire/traversal/responder.ts";
import { deriveTicketKeys, withMac } from "../../src/wire/traversal/ticket-keys.ts";

const from = { ip: "28.1.0.7", port: 40_000 };
const responder = new Responder({ random: (length) => crypto.getRandomValues(new Uint8Array(length)) });
const ticket = responder.issue(0, from.ip);
const txid = new Uint8Array(12).fill(3);
const good = withMac(deriveTicketKeys(ticket.key).request, encodeRequest({ ticketId: ticket.id, txid, sequence: 1 }));

test("Responder answers no random datagram", () => {
  const anything = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ minLength: 72, maxLength: 72 }));
  fc.assert(
    fc.property(anything, (datagram) => expect(responder.handleDatagram(0, datagram, from, 0)).toBeNull()),
    { numRuns: 20_000 },
  );
});

test("Responder answers no mutation of a right request", () => {
  const edit = fc.record({ at: fc.nat(71), value: fc.nat(255) });
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(edits, fc.integer({ min: 60, max: 80 }), (edits, length) => {
      const datagram = new Uint8Array(length);
      datagram.set(good.subarray(0, length));
      for (const { at, value } of edits) if (at < length) datagram[at] = value;
      fc.pre(!Buffer.from(datagram).equals(good));
      expect(responder.handleDatagram(0, datagram, from, 0)).toBeNull();
    }),
    { numRuns: 20_000 },
  );
  expect(responder.handleDatagram(0, good, from, 0)).not.toBeNull();
});
