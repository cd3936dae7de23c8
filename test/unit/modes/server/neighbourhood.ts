import type { ServicesOptions } from "../../../../src/modes/server/services.ts";
import type { Random } from "../../../../src/wire/core.ts";
import type { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { House, type LocalPeer } from "./house.ts";
import { ManualClock } from "./manual-clock.ts";

/** Turns after which nothing is on its way between nodes in memory: a claim goes to all, is answered, and is told of. */
const TURNS = 12;

/** Two nodes of one server, each a house, with everything shared in memory. Whoever comes is at the other one than who came before. */
export class Neighbourhood implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly houses: readonly [House, House];
  #visitors = 0;

  private constructor(clock: ManualClock, houses: readonly [House, House]) {
    this.clock = clock;
    this.houses = houses;
  }

  static async open(changes: Partial<Omit<ServicesOptions, "clock">> = {}): Promise<Neighbourhood> {
    const clock = new ManualClock();
    const first = await House.open(changes, clock, "first node");
    const { store, presence, bus, buckets, attempts, keys } = first.options;
    const shared = { ...changes, store, presence, bus, buckets, attempts, keys };
    const place = new Neighbourhood(clock, [first, await House.open(shared, clock, "second node")]);
    for (const { services } of place.houses) {
      await services.link.start();
      await services.attendance.start();
    }
    await place.lookAround();
    return place;
  }

  get random(): Random {
    return this.houses[0].random;
  }

  get pairings(): number {
    return this.houses[0].pairings + this.houses[1].pairings;
  }

  get channels(): number {
    return this.houses[0].channels + this.houses[1].channels;
  }

  /** Each node looks who else is there. */
  async lookAround(): Promise<void> {
    this.clock.advance(1_000);
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await this.houses[0].settled();
  }

  async enrol(name: string, keys?: KeyPair): Promise<KeyPair> {
    return this.houses[0].enrol(name, keys);
  }

  /** At the next node, or at that one. */
  connect(keys?: KeyPair, ip?: string, at = this.#visitors++ % 2): LocalPeer {
    const house = at === 0 ? this.houses[0] : this.houses[1];
    return house.connect(keys, ip, () => this.settled());
  }

  async member(name: string, at?: number): Promise<LocalPeer> {
    const peer = this.connect(await this.enrol(name), undefined, at);
    await peer.signIn();
    return peer;
  }

  async present(name: string, rank = 1, at?: number): Promise<LocalPeer> {
    const peer = await this.member(name, at);
    peer.tell({ kind: "answer", answers: 15, people: [], rank, sessions: [] });
    await peer.settled();
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.houses[0][Symbol.asyncDispose]();
  }
}
