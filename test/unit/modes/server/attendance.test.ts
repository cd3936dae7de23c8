import { expect, test } from "bun:test";
import { MemoryPresenceStore } from "../../../../src/store/memory/presence-store.ts";
import type { PresenceEntry } from "../../../../src/store/presence.ts";
import { House } from "./house.ts";
import { ManualClock } from "./manual-clock.ts";
import { requestUnder } from "./tickets.ts";

const RENEW_MS = 3_000;
const LEASE_MS = 10_000;
const FIVE_MINUTES_MS = 300_000;

/** One that somebody sets. */
class WrongClock extends ManualClock {
  offMs = 0;

  get rightMs(): number {
    return super.unixMs();
  }

  override unixMs(): number {
    return this.rightMs + this.offMs;
  }
}

/** Has a clock of its own, as a Redis has, which is right. */
class TimedPresenceStore extends MemoryPresenceStore {
  readonly #clock: WrongClock;
  constructor(clock: WrongClock) {
    super();
    this.#clock = clock;
  }

  override async timeMs(): Promise<number> {
    return this.#clock.rightMs;
  }
}

/** A node on a clock of its own, which shares what the first one has. */
async function nodeOn(clock: ManualClock, first: House, seed: string): Promise<House> {
  const { store, presence, bus, buckets, attempts, keys } = first.options;
  return House.open({ store, presence, bus, buckets, attempts, keys }, clock, seed);
}

async function startHouse(house: House): Promise<void> {
  await house.services.link.start();
  await house.services.attendance.start();
}

const warnings = ({ logged }: House) => logged.filter((line) => line.includes('"clock-off"'));

/** Of all nodes on these clocks. */
async function renewals(house: House, clocks: readonly ManualClock[], count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    for (const clock of clocks) clock.advance(RENEW_MS);
    for (let at = 0; at < 4; at++) await house.settled();
  }
}

test.each([
  [4_999, []],
  [-5_000, []],
  [5_001, [5]],
  [FIVE_MINUTES_MS, [300]],
  [-FIVE_MINUTES_MS, [-300]],
])("bad input 189: a node whose clock is %d ms off warns of %p seconds, once", async (offMs, seconds) => {
  const clock = new WrongClock();
  await using house = await House.open({ presence: new TimedPresenceStore(clock) }, clock);
  clock.offMs = offMs;
  await startHouse(house);
  await renewals(house, [clock], 4);
  expect(warnings(house).map((line): unknown => JSON.parse(line))).toMatchObject(
    seconds.map((aheadSeconds) => ({ level: "warn", aheadSeconds })),
  );
});

test("bad input 189: a clock that was set right, and goes wrong again, is warned of again", async () => {
  const clock = new WrongClock();
  await using house = await House.open({ presence: new TimedPresenceStore(clock) }, clock);
  await startHouse(house);
  for (const offMs of [FIVE_MINUTES_MS, 0, FIVE_MINUTES_MS]) {
    clock.offMs = offMs;
    await renewals(house, [clock], 2);
  }
  expect(warnings(house)).toHaveLength(2);
});

test("bad input 189: nodes whose clocks are 5 minutes apart keep each other's people and leases", async () => {
  const right = new ManualClock();
  const ahead = new WrongClock();
  ahead.offMs = FIVE_MINUTES_MS;
  await using first = await House.open({ presence: new TimedPresenceStore(ahead) }, right, "right");
  const second = await nodeOn(ahead, first, "ahead");
  for (const house of [first, second]) await startHouse(house);
  const ana = await first.present("ana");
  const ben = second.connect(await first.enrol("ben"));
  await ben.signIn();
  ben.tell({ kind: "answer", answers: 15, people: [], rank: 1, sessions: [] });
  await ben.settled();
  await renewals(first, [right, ahead], 5);
  for (const peer of [ana, ben])
    expect(await peer.request({ kind: "listPeople", after: "", limit: 9 })).toMatchObject({
      people: [
        { name: "ana", online: true },
        { name: "ben", online: true },
      ],
    });
  expect([...first.services.link.others]).toEqual([second.services.link.id]);
  for (const house of [first, second]) expect(house.logged.filter((line) => line.includes('"node-gone"'))).toEqual([]);
});

test("bad input 189: a token of a node whose clock is off holds at the others within 5 s, and no one is kept out by it", async () => {
  const right = new ManualClock();
  const ahead = new WrongClock();
  await using first = await House.open({}, right, "right");
  const second = await nodeOn(ahead, first, "ahead");
  const keys = await first.enrol("ana");
  const holds = async (token: string) =>
    first.services.tokens.verify(token, keys.publicKey).then(
      () => true,
      () => false,
    );
  const verdicts: boolean[] = [];
  for (const offMs of [5_000, -5_000, FIVE_MINUTES_MS]) {
    ahead.offMs = offMs;
    const there = second.connect(keys);
    await there.signIn();
    const token = there.me?.token ?? "";
    verdicts.push(await holds(token));
    expect(await first.connect(keys).signIn(token)).toMatchObject({ kind: "signedIn", name: "ana" });
  }
  expect(verdicts).toEqual([true, true, false]);
});

test("bad inputs 84 and 189: tickets and the time to answer do not follow the wall clock", async () => {
  const clock = new WrongClock();
  await using house = await House.open({}, clock);
  const ana = await house.member("ana");
  const stranger = house.connect();
  const ticket = await ana.request({ kind: "getTicket" });
  if (ticket.kind !== "ticket") throw new Error(ticket.kind);
  let sequence = 0;
  for (const offMs of [-3_600_000, FIVE_MINUTES_MS, 315_360_000_000]) {
    clock.offMs = offMs;
    clock.advance(1_000);
    const request = requestUnder(ticket, ++sequence);
    expect(house.services.discovery.handleDatagram(request, { ip: "198.51.100.7", port: 5_000 }, 0)?.length).toBe(72);
  }
  expect([ana.closeCode, stranger.closeCode]).toEqual([null, null]);
});

test("Attendance: a lease that ran out, or was flushed, comes back with everybody who was there", async () => {
  await using house = await House.open();
  await startHouse(house);
  const { presence } = house.options;
  await house.present("ana");
  const silent = await house.present("ben");
  silent.tell({ kind: "answer", answers: 0, people: [], rank: 0, sessions: [] });
  await house.settled();
  await presence.removeNode(house.services.link.id);
  expect(await presence.online({ limit: 9 })).toEqual([]);
  await renewals(house, [house.clock], 1);
  expect((await presence.online({ limit: 9 })).map(({ name }) => name)).toEqual(["ana"]);
  expect(await presence.nodes()).toEqual([house.services.link.id]);
  expect(house.services.attendance.people).toBe(1);
});

test("Attendance: each renewal holds the lease for 10 s, and a stop gives it back at once", async () => {
  await using house = await House.open();
  await startHouse(house);
  await house.present("ana");
  const { presence } = house.options;
  const people = async (): Promise<number> => (await presence.online({ limit: 9 })).length;
  await renewals(house, [house.clock], 5);
  await presence.sweep(house.clock.unixMs() + LEASE_MS - 1);
  expect(await people()).toBe(1);
  await house.services.attendance.stop();
  expect([await people(), await presence.nodes()]).toEqual([0, []]);
});

test("Attendance: a close never overtakes the answer before it, however slow the store", async () => {
  const slow = new (class extends MemoryPresenceStore {
    readonly #gate = Promise.withResolvers<void>();
    release(): void {
      this.#gate.resolve();
    }
    override async add(entry: PresenceEntry): Promise<void> {
      await this.#gate.promise;
      return super.add(entry);
    }
  })();
  await using house = await House.open({ presence: slow });
  const ana = await house.member("ana");
  ana.tell({ kind: "answer", answers: 15, people: [], rank: 1, sessions: [] });
  await house.settled();
  ana.leave();
  await house.settled();
  slow.release();
  await house.settled();
  expect(await slow.online({ limit: 9 })).toEqual([]);
  expect(house.services.attendance.people).toBe(0);
});
