import type { CongestionController } from "../../src/wire/congestion/controller.ts";
import type { Random } from "../../src/wire/core.ts";
import { BareFlow } from "./bare-flow.ts";
import { REKEY_AFTER_PACKETS } from "../../src/wire/limits.ts";
import type { SimEnd } from "./end.ts";
import { Bottleneck } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { SimPair } from "./pair.ts";

export type MakeController = (random: Random) => CongestionController;

export interface SharedLinkOptions {
  readonly seed: number;
  /** Bytes per ms. */
  readonly rate: number;
  /** Of the queue in front of it. */
  readonly queueBytes: number;
  /** Random loss, each way. */
  readonly loss?: number;
}

const CHUNK = new Uint8Array(262_144);

/** A whole session whose one end sends to the other without an end. */
export class SessionFlow {
  receivedBytes = 0;
  readonly pair: SimPair;
  readonly #stream: number;

  constructor(pair: SimPair) {
    this.pair = pair;
    this.#stream = pair.a.session.openStream("bulk");
    pair.b.reads = false;
    pair.b.onEvent = (event) => {
      if (event.kind === "stream-readable") this.#read(pair.b, event.stream);
      pair.b.events.length = 0;
    };
    pair.a.onEvent = (event) => {
      if (event.kind === "stream-writable") this.#write();
      pair.a.events.length = 0;
    };
  }

  start(): void {
    this.#write();
    this.pair.a.flush();
  }

  get stats() {
    const path = this.pair.a.session.stats().paths.find(({ isSelected }) => isSelected);
    if (path === undefined) throw new Error("there is no path");
    return path;
  }

  #write(): void {
    while (this.pair.a.session.write(0, this.#stream, CHUNK) === CHUNK.length);
  }

  #read(end: SimEnd, stream: number): void {
    for (let part = end.session.read(stream); part !== null; part = end.session.read(stream)) {
      this.receivedBytes += part.length;
      end.session.consumed(end.now, stream, part.length);
    }
  }
}

/** Several pairs that do not know of each other, through one bottleneck. */
export class SharedLink {
  readonly network: SimNetwork;
  readonly bottleneck: Bottleneck;
  readonly #loss: number;

  constructor({ seed, rate, queueBytes, loss = 0 }: SharedLinkOptions) {
    this.network = new SimNetwork(seed);
    this.bottleneck = new Bottleneck(rate, queueBytes);
    this.#loss = loss;
  }

  /** One path and nothing around it. */
  bare(rttMs: number, make: MakeController): BareFlow {
    const link = { delayMs: rttMs / 2, loss: this.#loss };
    const forth = this.network.link({ ...link, bottleneck: this.bottleneck });
    return new BareFlow(this.network, forth, this.network.link(link), make(this.network.random.fork().bytes));
  }

  /** A pair of sessions with a route open, and nothing said on it. */
  session(rttMs: number, make: MakeController): SessionFlow {
    const random = this.network.random.fork().bytes;
    const pair = new SimPair(this.network, {
      server: null,
      limits: { rekeyAfterPackets: REKEY_AFTER_PACKETS },
      session: { congestion: () => make(random) },
    });
    const link = { delayMs: rttMs / 2, loss: this.#loss };
    pair.open(pair.addRoute({ ...link, bottleneck: this.bottleneck }, link));
    return new SessionFlow(pair);
  }

  /** Bytes per ms that each flow gets through in the next time. */
  rates(flows: readonly { readonly receivedBytes: number }[], ms: number): number[] {
    const before = flows.map(({ receivedBytes }) => receivedBytes);
    this.network.runFor(ms);
    return flows.map((flow, index) => (flow.receivedBytes - (before[index] ?? 0)) / ms);
  }
}
