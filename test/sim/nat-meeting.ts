import type { LinkOptions } from "./link.ts";
import { NatPeer } from "./nat-peer.ts";
import type { NatProgram } from "./nat-program.ts";
import type { NatServer } from "./nat-server.ts";
import type { NatSide } from "./nat-world.ts";
import type { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { sessionLimits } from "../../src/wire/session/session-limits.ts";

/** Two programs that the server has brought together: a session that begins over it, and both ends looking for direct paths. */
export class NatMeeting {
  readonly network: SimNetwork;
  readonly pair: SimPair;
  readonly a: NatPeer;
  readonly b: NatPeer;
  /** When both were told of each other. */
  readonly startedAt: number;

  constructor(network: SimNetwork, server: NatServer, a: NatProgram, b: NatProgram) {
    this.network = network;
    this.startedAt = network.now;
    const { rekeyAfterPackets } = sessionLimits;
    this.pair = new SimPair(network, { server: channel(a.side, b.side), limits: { rekeyAfterPackets } });
    this.a = new NatPeer(network, this.pair.a, a);
    this.b = new NatPeer(network, this.pair.b, b);
    this.#tell(server, this.a, b);
    this.#tell(server, this.b, a);
  }

  /** Both send their data on a path of their own. */
  get isDirect(): boolean {
    return this.a.isDirect && this.b.isDirect;
  }

  /** @returns how long that took from the start, null when it did not come in `limitMs`. Milliseconds. */
  untilDirect(limitMs: number): number | null {
    const until = this.network.now + limitMs;
    while (!this.isDirect && this.network.now < until) this.network.runFor(STEP_MS);
    return this.isDirect ? this.network.now - this.startedAt : null;
  }

  /** Where the server sees one, said to the other, now and when that changes. */
  #tell(server: NatServer, peer: NatPeer, other: NatProgram): void {
    const { delayMs } = peer.program.side.access.down.options;
    server.watch(other.member, (addresses) => this.network.in(delayMs, () => peer.attested(addresses)));
  }
}

const STEP_MS = 5;

/** The way over the server: through both channels, which lose nothing but take their time. */
function channel(a: NatSide, b: NatSide): LinkOptions {
  return { ...links.server, delayMs: a.access.up.options.delayMs + b.access.down.options.delayMs };
}
