import { type ErrorCode, WireError } from "../../wire/errors.ts";
import { MAX_FORWARD_BYTES } from "../../wire/limits.ts";
import { relay, type RelayMessage } from "../../wire/messages/relay.ts";
import { equalSecrets } from "../../wire/noise/primitives.ts";
import { legProof } from "../../wire/relay/leg-proof.ts";
import { LegQueue } from "./leg-queue.ts";
import type { ShapedLeg } from "./leg-shaper.ts";
import type { End, Leg, LegSocket } from "./pairing.ts";
import type { Services } from "./services.ts";
import type { Tally } from "./tally.ts";
import { closeCodes, type SocketHandler, type WebSocketPort } from "./web-socket-port.ts";

const BIND_MS = 10_000;

/** One relay leg over a WebSocket: a fresh challenge, the answer under the leg's key, then sealed packets to the other end of the pairing alone. */
export class RelaySocket implements SocketHandler, LegSocket {
  readonly #services: Services;
  readonly #port: WebSocketPort;
  readonly #leavePool: () => void;
  readonly #nonce: Uint8Array;
  readonly #queue: LegQueue;
  #leg: Leg | null = null;
  #shaped: ShapedLeg | null = null;
  #ended = false;
  #cancelDeadline: () => void;

  constructor(services: Services, port: WebSocketPort, leavePool: () => void) {
    this.#services = services;
    this.#port = port;
    this.#leavePool = leavePool;
    this.#nonce = services.random(32);
    this.#queue = new LegQueue(port, services.clock, () => this.#end(closeCodes.policy));
    this.#cancelDeadline = services.clock.after(BIND_MS, () => this.#end(closeCodes.policy));
    this.#say({ kind: "challenge", nonce: this.#nonce });
  }

  receive(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (this.#shaped === null) this.#bind(bytes);
    else if (bytes.length > MAX_FORWARD_BYTES) this.#end(closeCodes.policy);
    else if (bytes.length > 0) this.#shaped.push(bytes);
  }

  send(packets: Uint8Array): void {
    if (!this.#ended) this.#queue.push(packets);
  }

  drained(): void {
    this.#queue.drained();
  }

  close(): void {
    this.#end(closeCodes.normal);
  }

  closed(): void {
    this.#ended = true;
    this.#cancelDeadline();
    this.#leavePool();
    this.#queue.stop();
    this.#shaped?.close();
    if (this.#leg?.socket === this) this.#leg.socket = null;
  }

  #bind(bytes: Uint8Array): void {
    const leg = this.#legOf(bytes);
    if (leg === null) return this.#refuse("no-such-session");
    this.#cancelDeadline();
    this.#leavePool();
    const before = leg.socket;
    leg.socket = this;
    this.#leg = leg;
    this.#shaped = this.#shape(leg);
    before?.close();
    this.#say({ kind: "bound" });
  }

  #shape(leg: Leg): ShapedLeg {
    const { hub, legShaper, tally } = this.#services;
    return legShaper.open(leg.end.account, {
      pass: (packets) => hub.pairings.forwardFromLeg(leg, packets),
      slowed: slowedDown(leg.end, tally),
    });
  }

  /** Null for whatever is not the right answer to this socket's challenge. */
  #legOf(bytes: Uint8Array): Leg | null {
    const message = decoded(bytes);
    if (message?.kind !== "bind") return null;
    const leg = this.#services.hub.pairings.findLeg(message.leg);
    const mac = legProof(leg?.key ?? new Uint8Array(32), this.#nonce, message.leg);
    return equalSecrets(mac, message.mac) ? leg : null;
  }

  #refuse(code: ErrorCode): void {
    this.#say({ kind: "refused", code });
    this.#end(closeCodes.policy);
  }

  #say(message: RelayMessage): void {
    this.#port.send(relay.encode(message));
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.closed();
    this.#port.close(code, "");
  }
}

/** What an end hears when its packets wait, each rate once. */
export function slowedDown(end: End, tally: Tally): (bytesPerSecond: number) => void {
  return (bytesPerSecond) => {
    if (end.tellLimited(bytesPerSecond)) tally.refused("relay", { code: "limited" });
  };
}

function decoded(bytes: Uint8Array): RelayMessage | null {
  try {
    return relay.decode(bytes);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
