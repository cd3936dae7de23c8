import { sameAddress } from "../../wire/address.ts";
import { toHex } from "../../wire/bytes.ts";
import { KEEPALIVE_MS } from "../../wire/limits.ts";
import { LegClient, type LegEvent, waysTo } from "../../wire/relay/leg-client.ts";
import type { SocketRoute } from "../../wire/traversal/inquiry.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { Drive } from "../runtime/driver.ts";
import { systemRandom } from "./own-device.ts";
import type { RouteEvent } from "./path-seeker.ts";
import type { UdpEndpoint } from "./udp-endpoint.ts";

/** A leg as the server gave it. */
export interface GivenLeg {
  readonly leg: Uint8Array;
  readonly key: Uint8Array;
  /** Where the node is reached that knows it: its addresses and its UDP ports. */
  readonly ips: readonly string[];
  readonly ports: readonly number[];
}

export interface UdpRelayOptions {
  readonly endpoint: UdpEndpoint;
  /** Null while the server gives none. Never rejects. */
  readonly ask: () => Promise<GivenLeg | null>;
  /** Sends a challenge to the other end over the relay. */
  readonly probe: () => void;
  /** Nothing goes over it any more. */
  readonly forget: () => void;
  /** Receiver indexes that are another's at the relay. */
  readonly onRefused: (indexes: readonly number[]) => void;
  readonly onFault: (error: unknown) => void;
  readonly clock?: Clock;
}

/** Gaps between challenges to an end that may not have its leg yet; after these as far apart as keepalives. Milliseconds. */
const PROBE_GAPS_MS = [100, 200, 400, 800, 1_600, 3_200];
/** Until a server that gave no leg, or one where nobody answers any more, is asked again; twice as long each time. Milliseconds. */
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 300_000;
/** A direct path has carried everything for so long: the leg is let go, and the line to the server stands by alone. Milliseconds. */
const REST_AFTER_MS = 60_000;

interface Bound {
  readonly id: string;
  readonly client: LegClient;
  readonly drive: Drive<LegEvent, SocketRoute>;
}

/**
 * A session's way through the server's UDP: asks for a leg, keeps it open, and has the other end challenged until it is there as well.
 * PROTOCOL.md §8.2.
 */
export class UdpRelay {
  readonly #options: UdpRelayOptions;
  readonly #clock: Clock;
  #indexes: readonly number[] = [];
  #leg: Bound | null = null;
  #ways: readonly SocketRoute[] = [];
  /** The other end has answered over it. */
  #isProven = false;
  #probes = 0;
  #cancelProbe = () => {};
  #cancelRetry = () => {};
  #cancelRest = () => {};
  #isDirect = false;
  #isResting = false;
  /** When something of this session went over the server last. */
  #usedAtMs = 0;
  #failures = 0;
  #isClosed = false;

  constructor(options: UdpRelayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** At the start, and when the line to the server is there again: the leg there was may be none any more. Never rejects. */
  async open(): Promise<void> {
    this.#cancelRetry();
    const given = await this.#options.ask();
    if (this.#isClosed) return;
    if (given === null || given.ips.length === 0) return this.#retryLater();
    if (this.#leg?.id === toHex(given.leg)) return this.#keep(this.#leg);
    this.#failures = 0;
    this.#ways = waysTo(
      this.#options.endpoint.relaySockets,
      given.ports.flatMap((port) => given.ips.map((ip) => ({ ip, port }))),
    );
    this.#begin(given);
  }

  /** What packets for this end may carry; PROTOCOL.md §7.3. */
  setIndexes(indexes: readonly number[]): void {
    this.#indexes = indexes;
    this.#with(({ client, drive }) => client.setIndexes(drive.now(), indexes));
  }

  /** Whether what comes this way was relayed. */
  owns(from: SocketRoute): boolean {
    return this.#ways.some((way) => way.socket === from.socket && sameAddress(way.remote, from.remote));
  }

  /** @returns as {@link UdpEndpoint.send}; what cannot go is lost */
  send(bytes: Uint8Array, segmentBytes: number): boolean {
    const route = this.#leg?.client.route ?? null;
    return route === null || this.#options.endpoint.send(bytes, route, segmentBytes);
  }

  /** What the session tells of this route. */
  routeEvent({ kind }: RouteEvent): void {
    this.#isProven = kind === "route-validated";
    this.#with(({ client, drive }) => client.setKept(drive.now(), this.#isProven));
    if (kind === "route-lost") this.doubt();
    if (!this.#isProven) this.#startProbing();
  }

  /** Packets do not come through. */
  doubt(): void {
    this.#with(({ client, drive }) => client.doubt(drive.now()));
  }

  /** Which way the session goes from now on. */
  carried(isDirect: boolean): void {
    this.#isDirect = isDirect;
    this.#cancelRest();
    if (isDirect) this.#restLater(REST_AFTER_MS);
    else this.#wake();
  }

  /** More than checks came over the server: the other end has no direct path, or is not sure of it. */
  used(): void {
    this.#usedAtMs = this.#clock.now();
    this.#wake();
  }

  /** This machine is on another network. */
  moved(): void {
    if (!this.#isResting) this.#with(({ client, drive }) => client.start(drive.now(), this.#ways));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#cancelRest();
    this.#end();
  }

  #restLater(delayMs: number): void {
    this.#cancelRest = this.#clock.after(delayMs, () => {
      const leftMs = this.#usedAtMs + REST_AFTER_MS - this.#clock.now();
      if (leftMs > 0) this.#restLater(leftMs);
      else this.#rest();
    });
  }

  #rest(): void {
    this.#isResting = true;
    this.#isProven = false;
    this.#cancelProbe();
    this.#cancelRetry();
    this.#with(({ client, drive }) => client.start(drive.now(), []));
    this.#options.forget();
  }

  #wake(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#with(({ client, drive }) => client.start(drive.now(), this.#ways));
    this.#retryLater();
    if (this.#isDirect) this.#restLater(REST_AFTER_MS);
  }

  /** The server gave the same again. Where nobody answers any more it may not know yet that the node there is gone. */
  #keep({ client }: Bound): void {
    if (client.route !== null) this.doubt();
    else if (!this.#isResting) this.#retryLater();
  }

  #begin({ leg, key }: GivenLeg): void {
    this.#end();
    const { endpoint, onFault } = this.#options;
    const client = new LegClient({ leg, key, random: systemRandom });
    const drive = new Drive<LegEvent, SocketRoute>(client, {
      send: ({ bytes, to, segmentBytes }) => endpoint.send(bytes, to, segmentBytes),
      onEvent: (event) => this.#handle(event),
      onFault,
      clock: this.#clock,
    });
    this.#leg = { id: toHex(leg), client, drive };
    endpoint.addLeg(leg, (reply, from) => drive.handleDatagram(reply, from));
    client.setIndexes(drive.now(), this.#indexes);
    if (!this.#isResting) client.start(drive.now(), this.#ways);
    drive.wake();
  }

  #handle(event: LegEvent): void {
    if (event.kind === "bound") this.#bound();
    else if (event.kind === "refused") this.#options.onRefused(event.indexes);
    else this.#retryLater();
  }

  #bound(): void {
    this.#failures = 0;
    this.#cancelRetry();
    this.#startProbing();
  }

  #startProbing(): void {
    this.#probes = 0;
    this.#probe();
  }

  /** Until the other end answers; what it sends first, before its leg is there, nobody hears. */
  #probe(): void {
    this.#cancelProbe();
    if (this.#isClosed || this.#isProven || this.#isResting || this.#leg === null) return;
    if (this.#leg.client.route !== null) this.#options.probe();
    this.#cancelProbe = this.#clock.after(PROBE_GAPS_MS[this.#probes++] ?? KEEPALIVE_MS, () => this.#probe());
  }

  #retryLater(): void {
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
    this.#cancelRetry();
    this.#cancelRetry = this.#clock.after(delayMs, () => void this.open());
  }

  #with(run: (leg: Bound) => void): void {
    if (this.#leg === null) return;
    run(this.#leg);
    this.#leg.drive.wake();
  }

  #end(): void {
    this.#cancelProbe();
    if (this.#leg === null) return;
    this.#options.endpoint.removeLeg(this.#leg.id);
    this.#leg.client.stop();
    this.#leg.drive.stop();
    this.#leg = null;
  }
}
