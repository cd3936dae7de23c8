import type { UdpAddress } from "../../../../src/wire/address.ts";
import { toHex } from "../../../../src/wire/bytes.ts";
import { decodeLegReply, encodeLegRequest, type LegReply } from "../../../../src/wire/messages/leg.ts";
import { Allocation, Allocations } from "../../../../src/wire/relay/allocations.ts";
import { deriveLegKeys, isSignedLeg, type LegKeys, signLeg } from "../../../../src/wire/relay/leg-keys.ts";
import { seededRandom } from "../../../support/bytes.ts";

export const NO_COOKIE = new Uint8Array(16);

/** A leg with its holder's knowledge. */
export interface TestLeg {
  readonly id: Uint8Array;
  readonly keys: LegKeys;
  readonly allocation: Allocation<string>;
  sequence: number;
}

/** A server's table and what its peers know, with a clock of the test's own. */
export class RelayPlace {
  now = 0;
  readonly random = seededRandom("relay place");
  readonly #legs = new Map<string, TestLeg>();
  readonly table = new Allocations<string>({
    random: this.random,
    ownAddresses: [{ ip: "203.0.113.1", port: 7_420 }],
    find: (leg) => this.#legs.get(toHex(leg))?.allocation ?? null,
  });

  /** Both ends of a pairing. The names are of devices: who sends to the one is the other. */
  pair(one: string, other: string, mayBeLoopback = false): [TestLeg, TestLeg] {
    const legs: TestLeg[] = [];
    const make = (sender: string, place: number): TestLeg => {
      const [id, key] = [this.random(16), this.random(32)];
      const keys = deriveLegKeys(key);
      const allocation = new Allocation<string>({
        keys,
        sender,
        other: () => legs[place]?.allocation ?? null,
        send: () => undefined,
        mayBeLoopback,
      });
      const leg = { id, keys, allocation, sequence: 0 };
      this.#legs.set(toHex(id), leg);
      legs.push(leg);
      return leg;
    };
    return [make(other, 1), make(one, 0)];
  }

  request(leg: TestLeg, cookie: Uint8Array, indexes: readonly number[], sequence = ++leg.sequence): Uint8Array {
    return signLeg(leg.keys.request, encodeLegRequest({ leg: leg.id, sequence, cookie, indexes }));
  }

  say(datagram: Uint8Array, from: UdpAddress): Uint8Array | null {
    return this.table.handleRequest(this.now, datagram, from, "socket");
  }

  /** @returns what the server answered */
  ask(leg: TestLeg, from: UdpAddress, cookie: Uint8Array, indexes: readonly number[]): LegReply | null {
    const reply = this.say(this.request(leg, cookie, indexes), from);
    if (reply === null) return null;
    if (!isSignedLeg(leg.keys.reply, reply)) throw new Error("a reply without a MAC that fits");
    return decodeLegReply(reply);
  }

  /** Shows to be there, and registers. @returns the last answer */
  bind(leg: TestLeg, from: UdpAddress, indexes: readonly number[]): LegReply | null {
    const challenge = this.ask(leg, from, NO_COOKIE, indexes);
    return challenge === null ? null : this.ask(leg, from, challenge.cookie, indexes);
  }

  /** Which leg a packet from there with this index goes to. */
  routes(from: UdpAddress, index: number): Allocation<string> | null {
    return this.table.receiverOf(this.now, from, index);
  }

  close(leg: TestLeg): void {
    this.#legs.delete(toHex(leg.id));
    this.table.close(leg.allocation);
  }
}
