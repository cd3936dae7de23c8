import { expect, test } from "bun:test";
import { UdpEndpoint } from "../../../../src/modes/peer/udp-endpoint.ts";
import { type GivenLeg, UdpRelay } from "../../../../src/modes/peer/udp-relay.ts";
import { type Clock, systemClock } from "../../../../src/modes/runtime/clock.ts";
import { UdpPort } from "../../../../src/modes/runtime/udp-port.ts";
import { RELAY_ROUTE } from "../../../../src/wire/session/route.ts";
import { Allocation, Allocations } from "../../../../src/wire/relay/allocations.ts";
import { deriveLegKeys } from "../../../../src/wire/relay/leg-keys.ts";
import { seededRandom } from "../../../support/bytes.ts";

/** Time stands still but when it is told; what is due in one turn comes in the next, as always. */
class StillClock implements Clock {
  #now = 0;
  #due: { readonly at: number; readonly run: () => void }[] = [];
  readonly soon = (run: () => void) => systemClock.soon(run);

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const each = { at: this.#now + delayMs, run };
    this.#due.push(each);
    return () => void (this.#due = this.#due.filter((other) => other !== each));
  }

  /** Each at its own time, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.at - b.at).find(({ at }) => at <= end);
      if (next === undefined) break;
      this.#due = this.#due.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

function allocationOf({ key }: GivenLeg): Allocation<string> {
  return new Allocation<string>({
    keys: deriveLegKeys(key),
    sender: "ben",
    other: () => null,
    send: () => undefined,
    mayBeLoopback: true,
  });
}

async function openNode(desk: () => Desk | null): Promise<UdpPort> {
  const random = seededRandom("relay");
  const table = new Allocations<string>({ random, ownAddresses: [], find: () => desk()?.allocation ?? null });
  const port: UdpPort = await UdpPort.open({
    ip: "127.0.0.1",
    port: 0,
    onDatagram(datagram, from) {
      const [to, reply] = [desk(), table.handleRequest(0, datagram, from, "socket")];
      if (reply !== null) port.send(reply, from);
      if (to !== null && reply !== null) to.requests++;
    },
    onFault: (error) => {
      throw error;
    },
  });
  return port;
}

/** A relay at a socket of its own, and a session's way there. */
class Desk implements AsyncDisposable {
  readonly clock = new StillClock();
  readonly told: string[] = [];
  readonly relay: UdpRelay;
  allocation: Allocation<string>;
  /** What `ask` gives. */
  given: GivenLeg | null;
  asked = 0;
  requests = 0;
  port: UdpPort;
  readonly endpoint: UdpEndpoint;

  private constructor(endpoint: UdpEndpoint, port: UdpPort, hear: (desk: Desk) => void) {
    this.endpoint = endpoint;
    this.port = port;
    this.given = this.legHere("first");
    this.allocation = allocationOf(this.given);
    const fault = (error: unknown) => {
      throw error;
    };
    this.relay = new UdpRelay({
      endpoint,
      ask: () => {
        this.asked++;
        return Promise.resolve(this.given);
      },
      probe: () => this.told.push("probe"),
      forget: () => this.told.push("forget"),
      onRefused: (indexes) => this.told.push(`refused ${indexes.join(" ")}`),
      onFault: fault,
      clock: this.clock,
    });
    hear(this);
  }

  static async open(isHidden = false): Promise<Desk> {
    const fault = (error: unknown) => {
      throw error;
    };
    let desk: Desk | null = null;
    const port = await openNode(() => desk);
    return new Desk(await UdpEndpoint.open(fault, isHidden), port, (made) => (desk = made));
  }

  /** A leg at the node there is now. */
  legHere(name: string): GivenLeg {
    const random = seededRandom(name);
    return { leg: random(16), key: random(32), ips: ["127.0.0.1"], ports: [this.port.address.port] };
  }

  /** The node is gone, and another one there. @returns its leg, which nobody is given yet */
  async moveNode(): Promise<GivenLeg> {
    this.port.close();
    this.port = await openNode(() => this);
    const leg = this.legHere("second");
    this.allocation = allocationOf(leg);
    return leg;
  }

  /** Turn by turn of the loop, in which datagrams arrive, until it is so. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      this.clock.advance(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.relay.close();
    this.endpoint[Symbol.dispose]();
    this.port.close();
  }
}

test("UdpRelay binds its leg, registers what packets may carry, and has the other end challenged until it answers", async () => {
  await using desk = await Desk.open();
  desk.relay.setIndexes([7, 8]);
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  expect(desk.allocation.indexes).toEqual([7, 8]);
  expect(desk.told).toEqual(["probe"]);
  desk.clock.advance(700);
  expect(desk.told).toEqual(["probe", "probe", "probe", "probe"]);
  desk.relay.routeEvent({ kind: "route-validated", route: RELAY_ROUTE, rttMs: 1, observed: null });
  desk.clock.advance(60_000);
  expect(desk.told).toHaveLength(4);
  const { address } = desk.port;
  expect([desk.relay.owns({ socket: 0, remote: address }), desk.relay.owns({ socket: 1, remote: address })]).toEqual([
    true,
    false,
  ]);
});

test("UdpRelay lets its leg rest once a direct path has carried all for a minute, and wakes it for what comes over the server", async () => {
  await using desk = await Desk.open();
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  desk.relay.routeEvent({ kind: "route-validated", route: RELAY_ROUTE, rttMs: 1, observed: null });
  desk.relay.carried(true);
  desk.clock.advance(30_000);
  desk.relay.used();
  desk.clock.advance(59_000);
  expect(desk.told).toEqual(["probe"]);
  desk.clock.advance(1_000);
  expect(desk.told).toEqual(["probe", "forget"]);
  const before = desk.requests;
  desk.clock.advance(600_000);
  expect(desk.requests).toBe(before);
  desk.relay.used();
  await desk.until(() => desk.told.length > 2);
  expect(desk.told).toEqual(["probe", "forget", "probe"]);
  expect(desk.requests).toBe(before + 2);
});

test("UdpRelay wakes at once when the direct path is lost", async () => {
  await using desk = await Desk.open();
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  desk.relay.routeEvent({ kind: "route-validated", route: RELAY_ROUTE, rttMs: 1, observed: null });
  desk.relay.carried(true);
  desk.clock.advance(60_000);
  const before = desk.requests;
  desk.relay.carried(false);
  await desk.until(() => desk.requests === before + 2);
  await desk.until(() => desk.told.at(-1) === "probe");
  expect(desk.told.filter((each) => each === "forget")).toHaveLength(1);
});

test("UdpRelay asks a server that gives no leg less and less, and one that gives the same leg keeps it", async () => {
  await using desk = await Desk.open();
  const { given } = desk;
  desk.given = null;
  await desk.relay.open();
  for (let minute = 0; minute < 10; minute++) {
    desk.clock.advance(60_000);
    await Promise.resolve();
  }
  expect(desk.asked).toBeWithin(4, 12);
  desk.given = given;
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  const before = desk.requests;
  await desk.relay.open();
  await desk.until(() => desk.requests === before + 1);
  expect(desk.told.filter((each) => each !== "probe")).toEqual([]);
});

test("UdpRelay of who hides speaks to the relay by sockets that nobody is told of", async () => {
  await using desk = await Desk.open(true);
  expect(desk.endpoint.sockets).toEqual([]);
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  expect(desk.allocation.address?.port).toBe(desk.endpoint.relaySockets[0]?.port ?? 0);
});

test("UdpRelay whose node is gone asks for its leg anew until the server gives one that answers", async () => {
  await using desk = await Desk.open();
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  const next = await desk.moveNode();
  // At first the server does not know yet, and gives the same leg.
  await desk.until(() => (desk.clock.advance(1_000), desk.asked === 3));
  desk.given = next;
  await desk.until(() => (desk.clock.advance(1_000), desk.asked === 4));
  desk.told.length = 0;
  await desk.until(() => desk.told.length > 0);
  expect(desk.relay.owns({ socket: 0, remote: desk.port.address })).toBe(true);
  desk.relay.routeEvent({ kind: "route-validated", route: RELAY_ROUTE, rttMs: 1, observed: null });
  desk.clock.advance(600_000);
  expect(desk.asked).toBe(4);
});

test("UdpRelay that wakes where its node is gone asks for its leg anew, and one that rests asks nobody", async () => {
  await using desk = await Desk.open();
  await desk.relay.open();
  await desk.until(() => desk.told.length > 0);
  desk.relay.routeEvent({ kind: "route-validated", route: RELAY_ROUTE, rttMs: 1, observed: null });
  desk.relay.carried(true);
  desk.clock.advance(60_000);
  desk.given = await desk.moveNode();
  desk.clock.advance(600_000);
  expect(desk.asked).toBe(1);
  desk.told.length = 0;
  desk.relay.carried(false);
  await desk.until(() => (desk.clock.advance(1_000), desk.asked === 2));
  await desk.until(() => desk.told.length > 0);
  expect(desk.relay.owns({ socket: 0, remote: desk.port.address })).toBe(true);
});
