import { expect, test } from "bun:test";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { decodeReply, encodeRequest } from "../../../../src/wire/messages/discovery.ts";
import { Responder, TICKET_LIFETIME_MS, type Ticket } from "../../../../src/wire/traversal/responder.ts";
import { deriveTicketKeys, isAuthentic, withMac } from "../../../../src/wire/traversal/ticket-keys.ts";

const home: UdpAddress = { ip: "28.1.0.7", port: 40_000 };
const txid = new Uint8Array(12).fill(9);

function countingRandom(): (length: number) => Uint8Array {
  let next = 1;
  return (length) => new Uint8Array(length).fill(next++);
}

function setUp(channelIp = home.ip, options: { maxTickets?: number; ownAddresses?: UdpAddress[] } = {}) {
  const responder = new Responder({ random: countingRandom(), ...options });
  return { responder, ticket: responder.issue(0, channelIp) };
}

function request(ticket: Ticket, sequence: number): Uint8Array {
  return withMac(deriveTicketKeys(ticket.key).request, encodeRequest({ ticketId: ticket.id, txid, sequence }));
}

test("a request is answered with the address it came from and the port it reached", () => {
  const { responder, ticket } = setUp();
  const answer = responder.handleDatagram(5, request(ticket, 0), home, 1);
  expect(answer?.observed).toEqual({ ticket, address: home, listener: 1 });
  expect(answer?.observed.ticket).toBe(ticket);
  const reply = answer?.reply ?? new Uint8Array();
  expect(decodeReply(reply)).toEqual({ ticketId: ticket.id, txid, address: home, listener: 1 });
  expect(isAuthentic(deriveTicketKeys(ticket.key).reply, reply)).toBe(true);
});

test("bad input 20: the answer is as long as the request", () => {
  const { responder, ticket } = setUp();
  const asked = request(ticket, 0);
  expect(responder.handleDatagram(0, asked, home, 0)?.reply.length).toBe(asked.length);
});

test("bad input 1: datagrams of other lengths are silent", () => {
  const { responder, ticket } = setUp();
  const good = request(ticket, 0);
  for (const length of [0, 1, 15, 71, 73, 1_500, 9_000, 65_507])
    for (const fill of [0, 1, 255]) {
      expect(responder.handleDatagram(0, new Uint8Array(length).fill(fill), home, 0)).toBeNull();
      const cut = new Uint8Array(length);
      cut.set(good.subarray(0, length));
      expect(responder.handleDatagram(0, cut, home, 0)).toBeNull();
    }
  expect(responder.handleDatagram(0, good, home, 0)).not.toBeNull();
});

test("bad input 2: an unknown ticket is silent, also one that shares its first 6 bytes with a known one", () => {
  const { responder, ticket } = setUp();
  const stranger = { ...ticket, id: new Uint8Array(16).fill(77) };
  const neighbour = { ...ticket, id: ticket.id.with(15, 0) };
  for (const other of [stranger, neighbour]) expect(responder.handleDatagram(0, request(other, 0), home, 0)).toBeNull();
});

test("bad input 3: a wrong MAC is silent and spends no sequence number", () => {
  const { responder, ticket } = setUp();
  const good = request(ticket, 0);
  for (let at = 56; at < 72; at++)
    expect(responder.handleDatagram(0, good.with(at, (good[at] ?? 0) ^ 1), home, 0)).toBeNull();
  for (const fill of [0, 255]) expect(responder.handleDatagram(0, good.slice().fill(fill, 56), home, 0)).toBeNull();
  expect(responder.handleDatagram(0, good, home, 0)).not.toBeNull();
});

test("bad input 4 and 5: a replay is silent, from wherever it comes", () => {
  const { responder, ticket } = setUp();
  const good = request(ticket, 0);
  expect(responder.handleDatagram(0, good, home, 0)).not.toBeNull();
  for (let time = 1; time <= 1_000; time++) expect(responder.handleDatagram(time, good, home, 0)).toBeNull();
  expect(responder.handleDatagram(2_000, good, { ip: "28.9.9.9", port: 40_000 }, 0)).toBeNull();
});

test("bad input 6: sequence numbers do not wrap", () => {
  const { responder, ticket } = setUp();
  const answered = [0, 2 ** 32 - 1, 1].map((sequence) =>
    responder.handleDatagram(0, request(ticket, sequence), home, 0),
  );
  expect(answered.map((answer) => answer !== null)).toEqual([true, true, false]);
});

test("bad input 7: a ticket is worth nothing after its time, after revoke() and to another process", () => {
  const { responder, ticket } = setUp();
  expect(responder.handleDatagram(TICKET_LIFETIME_MS - 1, request(ticket, 0), home, 0)).not.toBeNull();
  expect(responder.handleDatagram(TICKET_LIFETIME_MS, request(ticket, 1), home, 0)).toBeNull();
  const revoked = responder.issue(TICKET_LIFETIME_MS, home.ip);
  responder.revoke(revoked);
  expect(responder.handleDatagram(TICKET_LIFETIME_MS, request(revoked, 0), home, 0)).toBeNull();
  const restarted = new Responder({ random: countingRandom() });
  expect(restarted.handleDatagram(1, request(ticket, 2), home, 0)).toBeNull();
});

test("bad input 8: of 1 000 requests in a second 10 are answered, in any second", () => {
  const { responder, ticket } = setUp();
  const answeredAt: number[] = [];
  for (let time = 0; time < 3_000; time++)
    if (responder.handleDatagram(time, request(ticket, time), home, 0) !== null) answeredAt.push(time);
  expect(answeredAt).toHaveLength(30);
  for (const [index, time] of answeredAt.entries())
    if (index >= 10) expect(time - (answeredAt[index - 10] ?? 0)).toBeGreaterThanOrEqual(1_000);
});

test("bad input 9: padding that is not zero is silent, even under a right MAC", () => {
  const { responder, ticket } = setUp();
  const padded = encodeRequest({ ticketId: ticket.id, txid, sequence: 0 }).with(40, 1);
  const sealed = withMac(deriveTicketKeys(ticket.key).request, padded);
  expect(responder.handleDatagram(0, sealed, home, 0)).toBeNull();
});

test("bad input 10: other versions and types are silent, even under a right MAC", () => {
  const { responder, ticket } = setUp();
  const plain = encodeRequest({ ticketId: ticket.id, txid, sequence: 0 });
  for (const changed of [
    plain.with(1, 0),
    plain.with(1, 0x20),
    plain.with(1, 0xff),
    plain.with(0, 2),
    plain.with(0, 3),
  ])
    expect(responder.handleDatagram(0, withMac(deriveTicketKeys(ticket.key).request, changed), home, 0)).toBeNull();
});

test("bad input 12: sources that would answer, and the server itself, are silent", () => {
  const own = { ip: "28.0.0.1", port: 7_420 };
  const { responder, ticket } = setUp(home.ip, { ownAddresses: [own] });
  for (const port of [0, 7, 19, 53, 123])
    expect(responder.handleDatagram(0, request(ticket, 0), { ip: home.ip, port }, 0)).toBeNull();
  expect(responder.handleDatagram(0, request(ticket, 0), own, 0)).toBeNull();
  expect(responder.handleDatagram(0, request(ticket, 0), { ...own, port: 7_421 }, 0)).not.toBeNull();
});

test("bad input 13: impossible sources are silent; loopback only serves those whose channel uses it", () => {
  const { responder, ticket } = setUp();
  for (const ip of ["127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255", "0.0.0.0", "::", "169.254.1.1"])
    expect(responder.handleDatagram(0, request(ticket, 0), { ip, port: 40_000 }, 0)).toBeNull();
  const local = responder.issue(0, "127.0.0.1");
  expect(responder.handleDatagram(0, request(local, 0), { ip: "127.0.0.1", port: 40_000 }, 0)).not.toBeNull();
});

test("bad input 17: other protocols are silent", () => {
  const { responder } = setUp();
  const others = [
    Buffer.from("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZy1lbm91Z2gtdG8tZmlsbA"),
    Buffer.from("GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: a\r\nAccept: */*\r\n\r\n1234"),
    Buffer.from("000100002112a442".padEnd(144, "0"), "hex"), // STUN binding request
    Buffer.from("123401000001000000000000".padEnd(144, "0"), "hex"), // DNS query
    Buffer.from("c000000001".padEnd(144, "0"), "hex"), // QUIC Initial
    Buffer.from("01000000".padEnd(296, "0"), "hex"), // WireGuard initiation
    Buffer.from("16feff0000".padEnd(144, "0"), "hex"), // DTLS hello
  ];
  for (const other of others) expect(responder.handleDatagram(0, other, home, 0)).toBeNull();
});

test("issue() keeps within its bound by dropping the oldest, and forgets what has expired", () => {
  const responder = new Responder({ random: countingRandom(), maxTickets: 3 });
  const tickets = [0, 1, 2, 3].map((now) => responder.issue(now, home.ip));
  expect(responder.size).toBe(3);
  const known = tickets.map((ticket) => responder.handleDatagram(4, request(ticket, 0), home, 0) !== null);
  expect(known).toEqual([false, true, true, true]);
  responder.issue(2 + TICKET_LIFETIME_MS, home.ip);
  expect(responder.size).toBe(2);
});
