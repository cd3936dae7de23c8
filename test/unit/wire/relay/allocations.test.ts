import { expect, test } from "bun:test";
import fc from "fast-check";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { NO_COOKIE, RelayPlace, type TestLeg } from "./relay-place.ts";

const anasHome: UdpAddress = { ip: "198.51.100.7", port: 40_000 };
const bensHome: UdpAddress = { ip: "192.0.2.9", port: 50_000 };
const elsewhere: UdpAddress = { ip: "192.0.2.66", port: 6_666 };

function meet() {
  const place = new RelayPlace();
  const [ana, ben] = place.pair("ana", "ben");
  return { place, ana, ben };
}

test("a leg is bound by two requests, and packets of the registered indexes go from end to end", () => {
  const { place, ana, ben } = meet();
  expect(place.ask(ana, anasHome, NO_COOKIE, [1])?.isRegistered).toBe(false);
  expect([place.bind(ana, anasHome, [1]), place.bind(ben, bensHome, [2])]).toMatchObject([
    { isRegistered: true, refused: 0 },
    { isRegistered: true, refused: 0 },
  ]);
  expect(place.routes(anasHome, 2)).toBe(ben.allocation);
  expect(place.routes(bensHome, 1)).toBe(ana.allocation);
  expect(ben.allocation.reachableAt(0)).toEqual(bensHome);
});

test("bad input 102: packets before both legs are bound, from a third address, and of another index go nowhere", () => {
  const { place, ana, ben } = meet();
  place.bind(ben, bensHome, [2]);
  expect(place.routes(anasHome, 2)).toBeNull();
  place.bind(ana, anasHome, [1]);
  expect(place.routes(anasHome, 2)).toBe(ben.allocation);
  for (const [from, index] of [
    [elsewhere, 2],
    [anasHome, 1],
    [bensHome, 2],
    [anasHome, 3],
  ] as const)
    expect(place.routes(from, index)).toBeNull();
});

test("bad input 99: an unknown leg, a wrong MAC, another leg's key and a request a second time are silent", () => {
  const { place, ana, ben } = meet();
  const good = place.request(ana, NO_COOKIE, [1]);
  expect(place.say(place.request({ ...ana, id: new Uint8Array(16) }, NO_COOKIE, []), anasHome)).toBeNull();
  expect(place.say(place.request({ ...ana, keys: ben.keys }, NO_COOKIE, []), anasHome)).toBeNull();
  for (let at = 0; at < good.length; at++) {
    const changed = good.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(place.say(changed, anasHome)).toBeNull();
  }
  expect(place.say(good, anasHome)).not.toBeNull();
  expect(place.say(good, anasHome)).toBeNull();
});

test("bad input 99: a leg holds for as long as its pairing, and no longer", () => {
  const { place, ana, ben } = meet();
  place.bind(ana, anasHome, [1]);
  place.now = 3_000_000;
  expect(place.bind(ben, bensHome, [2])).toMatchObject({ isRegistered: true });
  place.close(ana);
  place.close(ben);
  expect([place.bind(ben, bensHome, [2]), place.routes(anasHome, 2), place.table.size]).toEqual([null, null, 0]);
});

test("bad input 100: a right request from a spoofed source gets one answer there, shorter than itself, and then nothing", () => {
  const { place, ana } = meet();
  const request = place.request(ana, NO_COOKIE, [1]);
  const answers = Array.from({ length: 100 }, () => place.say(request, elsewhere)).filter((each) => each !== null);
  expect(answers).toHaveLength(1);
  expect(answers[0]?.length).toBeLessThan(request.length);
  expect(ana.allocation.address).toBeNull();
});

test("a request seen on its way moves no leg when it comes again from elsewhere", () => {
  const { place, ana, ben } = meet();
  place.bind(ben, bensHome, [2]);
  const challenge = place.ask(ana, anasHome, NO_COOKIE, [1]);
  const request = place.request(ana, challenge?.cookie ?? NO_COOKIE, [1]);
  place.say(request, anasHome);
  place.say(request, elsewhere);
  expect([place.routes(elsewhere, 2), place.routes(anasHome, 2)]).toEqual([null, ben.allocation]);
});

test("bad input 101: a cookie holds at its own address alone, through one change of the secret and not through two", () => {
  const { place, ana } = meet();
  const cookie = place.ask(ana, anasHome, NO_COOKIE, [])?.cookie ?? NO_COOKIE;
  const others = [elsewhere, { ...anasHome, port: 40_001 }, { ...anasHome, ip: "198.51.100.8" }];
  expect(others.map((from) => place.ask(ana, from, cookie, [])?.isRegistered)).toEqual([false, false, false]);
  place.now = 120_000;
  expect(place.ask(ana, anasHome, cookie, [])?.isRegistered).toBe(true);
  place.now = 240_000;
  expect(place.ask(ana, anasHome, cookie, [])?.isRegistered).toBe(false);
});

test("bad input 101: a cookie for one leg binds no other from the same address", () => {
  const place = new RelayPlace();
  const [[one], [two]] = [place.pair("ana", "ben"), place.pair("ana", "carl")];
  const cookie = place.ask(one, anasHome, NO_COOKIE, [])?.cookie ?? NO_COOKIE;
  expect(place.ask(two, anasHome, cookie, [])?.isRegistered).toBe(false);
  expect(two.allocation.address).toBeNull();
});

test("each answer brings a cookie for the next request, so that one round trip is enough for hours", () => {
  const { place, ana } = meet();
  let cookie = place.bind(ana, anasHome, [1])?.cookie ?? NO_COOKIE;
  for (let minute = 1; minute < 600; minute++) {
    place.now = 60_000 * minute;
    const answer = place.ask(ana, anasHome, cookie, [1]);
    expect(answer?.isRegistered).toBe(true);
    cookie = answer?.cookie ?? NO_COOKIE;
  }
});

test("bad input 107: a leg moves with its NAT by a new challenge, twice a second at most", () => {
  const { place, ana, ben } = meet();
  place.bind(ben, bensHome, [2]);
  const moves = [1, 2, 3, 4].map((port) => place.bind(ana, { ...anasHome, port: 41_000 + port }, [1])?.isRegistered);
  expect(moves).toEqual([true, true, undefined, undefined]);
  expect(place.routes({ ...anasHome, port: 41_002 }, 2)).toBe(ben.allocation);
  expect(place.routes({ ...anasHome, port: 41_001 }, 2)).toBeNull();
  place.now = 1_000;
  expect(place.bind(ana, anasHome, [1])?.isRegistered).toBe(true);
  expect(place.routes(anasHome, 2)).toBe(ben.allocation);
});

test("a leg is answered ten times a second at most", () => {
  const { place, ana } = meet();
  const answers = Array.from({ length: 30 }, () => place.ask(ana, anasHome, NO_COOKIE, []));
  expect(answers.filter((answer) => answer !== null)).toHaveLength(10);
});

test("bad input 106: what claims to come from the server, from services, or from no public place is not answered", () => {
  const { place, ana } = meet();
  const ips = ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "fe80::1"];
  const froms = [
    ...ips.map((ip) => ({ ip, port: 40_000 })),
    { ip: "203.0.113.1", port: 7_420 },
    ...[0, 19, 53, 123, 1_900, 11_211].map((port) => ({ ip: "198.51.100.7", port })),
  ];
  for (const from of froms) expect(place.ask(ana, from, NO_COOKIE, [])).toBeNull();
  const [near] = place.pair("ana", "dan", true);
  expect(place.ask(near, { ip: "127.0.0.1", port: 40_000 }, NO_COOKIE, [])).not.toBeNull();
});

test("an index that another leg has for the same sender is refused, before either sender is bound too", () => {
  const place = new RelayPlace();
  const [[, ben], [, carl]] = [place.pair("ana", "ben"), place.pair("ana", "carl")];
  place.bind(ben, bensHome, [7, 8]);
  expect(place.bind(carl, elsewhere, [6, 7, 9])).toMatchObject({ isRegistered: true, refused: 0b010 });
  place.bind(ben, bensHome, [8]);
  expect(place.bind(carl, elsewhere, [6, 7, 9])).toMatchObject({ refused: 0 });
});

test("an index that another leg has for another device at the same address is refused", () => {
  const place = new RelayPlace();
  const [[ana, ben], [zoe, carl]] = [place.pair("ana", "ben"), place.pair("zoe", "carl")];
  place.bind(ana, anasHome, [1]);
  place.bind(zoe, anasHome, [2]);
  place.bind(ben, bensHome, [7]);
  expect(place.bind(carl, elsewhere, [7])).toMatchObject({ refused: 1 });
  expect(place.routes(anasHome, 7)).toBe(ben.allocation);
});

test("two sessions of one socket go to the two ends they are for, and legs of other senders may share an index", () => {
  const place = new RelayPlace();
  const [[one, ben], [two, carl]] = [place.pair("ana", "ben"), place.pair("ana", "carl")];
  const [zoe, dan] = place.pair("zoe", "dan");
  for (const leg of [one, two]) place.bind(leg, anasHome, []);
  place.bind(zoe, elsewhere, []);
  place.bind(ben, bensHome, [7]);
  place.bind(carl, { ...bensHome, port: 1_025 }, [8]);
  place.bind(dan, { ...bensHome, port: 1_026 }, [7]);
  expect([place.routes(anasHome, 7), place.routes(anasHome, 8), place.routes(elsewhere, 7)]).toEqual([
    ben.allocation,
    carl.allocation,
    dan.allocation,
  ]);
});

test("what a leg no longer registers is dropped", () => {
  const { place, ana, ben } = meet();
  place.bind(ana, anasHome, [1]);
  place.bind(ben, bensHome, [2, 3, 4]);
  place.bind(ben, bensHome, [4, 5]);
  expect([2, 3, 4, 5].map((index) => place.routes(anasHome, index) === ben.allocation)).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(place.table.size).toBe(3);
});

test("nothing goes to an address that was silent for a minute; a packet or request from there counts", () => {
  const { place, ana, ben } = meet();
  place.bind(ana, anasHome, [1]);
  place.bind(ben, bensHome, [2]);
  place.now = 59_999;
  expect(ben.allocation.reachableAt(place.now)).toEqual(bensHome);
  place.routes(anasHome, 2);
  place.now = 60_000;
  expect([ana.allocation, ben.allocation].map((leg) => leg.reachableAt(place.now))).toEqual([anasHome, null]);
});

const names = ["ana", "ben", "carl", "dan"];
const step = fc.oneof(
  fc.record({ kind: fc.constant("bind" as const), leg: fc.nat(11), home: fc.nat(3), indexes: fc.array(fc.nat(9)) }),
  fc.record({ kind: fc.constant("close" as const), leg: fc.nat(11), home: fc.nat(3), indexes: fc.constant([]) }),
);

test("whatever is registered, moved and closed, a source and an index lead to one leg at most, whose other end is there", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const place = new RelayPlace();
      const pairs = names.flatMap((one, at) => names.slice(at + 1).map((other) => place.pair(one, other)));
      const legs: readonly TestLeg[] = pairs.flat();
      for (const { kind, leg: at, home, indexes } of steps) {
        const leg = legs[at];
        if (leg === undefined) continue;
        place.now += 2_000;
        if (kind === "close") place.close(leg);
        else place.bind(leg, { ip: "198.51.100.7", port: 40_000 + home }, indexes);
      }
      for (const { allocation } of legs)
        for (const index of allocation.indexes) {
          const sender = allocation.options.other()?.address ?? null;
          if (sender === null) continue;
          const receiver = place.routes(sender, index);
          expect(receiver?.indexes).toContain(index);
          expect(receiver?.options.other()?.address).toEqual(sender);
        }
      const registered = new Set(legs.flatMap(({ allocation }) => allocation.indexes));
      expect(place.table.size).toBe(registered.size);
    }),
  );
});
