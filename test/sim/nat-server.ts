import type { UdpAddress } from "../../src/wire/address.ts";
import { toHex } from "../../src/wire/bytes.ts";
import { Discovery } from "../../src/modes/server/discovery.ts";
import { ChannelMember, type Member } from "../../src/modes/server/members.ts";
import type { GivenTicket } from "../../src/wire/traversal/gather.ts";
import type { Datagram, Inside } from "./nat-box.ts";
import { USUAL_TTL } from "./nat-host.ts";
import type { NatWorld } from "./nat-world.ts";

const PORTS = [7_420, 7_421];

/** The server with its two UDP ports: the real discovery, and what it says of members to whom it concerns. */
export class NatServer implements Inside {
  /** As peers reach them. */
  readonly addresses: readonly UdpAddress[];
  /** UDP bytes that came and that went. */
  receivedBytes = 0;
  sentBytes = 0;
  readonly #world: NatWorld;
  readonly #discovery: Discovery;
  readonly #watchers = new Map<Member, Set<(addresses: readonly UdpAddress[]) => void>>();

  /** @param ips one, or two */
  constructor(world: NatWorld, ips: readonly string[] = ["28.0.0.10"]) {
    const { network } = world;
    this.#world = world;
    this.addresses = ips.flatMap((ip) => PORTS.map((port) => ({ ip, port })));
    for (const ip of ips) world.core.attachServer(ip, this);
    this.#discovery = new Discovery({
      clock: {
        now: () => network.now,
        unixMs: () => network.now,
        after: (ms, action) => {
          let isWanted = true;
          network.in(ms, () => isWanted && action());
          return () => void (isWanted = false);
        },
      },
      random: network.random.fork().bytes,
      ports: PORTS,
      ownAddresses: this.addresses,
      onObserved: (member) => this.#watchers.get(member)?.forEach((tell) => tell(member.observed)),
    });
  }

  join(): Member {
    const key = this.#world.network.random.bytes(32);
    const identity = { userId: key, name: "someone", deviceId: key, deviceKey: key };
    return new ChannelMember(toHex(key), identity, "198.51.100.1", { send: () => undefined, end: () => undefined });
  }

  ticket(member: Member): GivenTicket {
    const { ticket, key } = this.#discovery.issue(member);
    return { id: ticket, key };
  }

  /** Tells where it sees the member, now and whenever that changes. */
  watch(member: Member, tell: (addresses: readonly UdpAddress[]) => void): void {
    this.#watchers.set(member, (this.#watchers.get(member) ?? new Set()).add(tell));
    tell(member.observed);
  }

  give({ from, to, bytes }: Datagram): void {
    const listener = PORTS.indexOf(to.port);
    this.receivedBytes += bytes.length;
    const reply = listener < 0 ? null : this.#discovery.handleDatagram(bytes, from, listener);
    if (reply === null) return;
    this.sentBytes += reply.length;
    this.#world.core.route({ from: to, to: from, ttl: USUAL_TTL, bytes: reply });
  }
}
