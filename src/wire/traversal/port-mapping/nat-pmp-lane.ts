import { scopeOf, type UdpAddress } from "../../address.ts";
import {
  ASK_AT_MS,
  ASKING,
  isUnwanted,
  type Lane,
  type LaneTransmit,
  type Leave,
  Lease,
  leaseMsOf,
  LIFETIME_SECONDS,
  none,
  PATIENCE_MS,
  RELEASE_AT_MS,
  type Standing,
  type Target,
} from "./lane.ts";
import { EpochWatch } from "./epoch.ts";
import { decodeNatPmp, encodeExternalRequest, encodeMapRequest, type NatPmpAnswer, natPmpResult } from "./nat-pmp.ts";
import { GATEWAY_PORT } from "./pcp.ts";
import { Repeats } from "./repeats.ts";

/** One mapping by NAT-PMP: the gateway's own address first, which changes nothing there, then the port. */
export class NatPmpLane implements Lane {
  readonly protocol = "nat-pmp";
  readonly #target: Target;
  readonly #epoch = new EpochWatch();
  #standing: Standing = ASKING;
  #leave: Leave = "look";
  #question: "external" | "map" | "release" = "external";
  #repeats: Repeats | null = null;
  #patienceAt = Infinity;
  #externalIp: string | null = null;
  #lease: Lease | null = null;
  /** The gateway has opened a port that was not given back, whether or not it still answers. */
  #hasMapped = false;
  #wishedPort: number;

  constructor(target: Target) {
    this.#target = target;
    this.#wishedPort = target.internalPort;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get isReleased(): boolean {
    return this.#question !== "release" || (this.#repeats?.dueAt ?? Infinity) === Infinity;
  }

  get dueAt(): number {
    return Math.min(this.#repeats?.dueAt ?? Infinity, this.#patienceAt, this.#lease?.dueAt ?? Infinity);
  }

  start(now: number): void {
    this.#externalIp = null;
    this.#ask(now, "external");
    this.#patienceAt = now + PATIENCE_MS;
    if (this.#lease === null) this.#standing = ASKING;
  }

  allow(now: number, leave: Leave, takenPort: number | null): void {
    this.#leave = leave;
    if (leave === "rest" && this.#isHolding) this.release(now, takenPort);
    else if (leave !== "rest" && isUnwanted(this.#standing)) this.start(now);
    else if (leave === "map" && this.#standing.kind === "ready") this.#map(now);
  }

  release(now: number, takenPort: number | null = null): void {
    const isOurs = this.#isHolding && this.#wishedPort !== takenPort;
    const offsets = isOurs ? (this.#lease !== null ? RELEASE_AT_MS : [0]) : [];
    this.#question = "release";
    this.#hasMapped = false;
    this.#repeats = new Repeats(now, offsets);
    this.#stand(none("unwanted"));
  }

  handleDatagram(now: number, datagram: Uint8Array, from: UdpAddress): boolean {
    const answer = from.port === GATEWAY_PORT && this.#repeats !== null ? decodeNatPmp(datagram) : null;
    if (answer === null || !this.#isAsked(answer)) return false;
    this.#repeats = null;
    this.#patienceAt = Infinity;
    if (this.#question === "release") return false;
    if (answer.kind === "other-version") {
      this.#stand(none("unsupported"));
      return false;
    }
    const hasForgotten = this.#epoch.hear(now, answer.epochSeconds);
    if (answer.result !== natPmpResult.success) this.#stand(none("refused", answer.result));
    else if (answer.kind === "external") this.#placed(now, answer.ip);
    else this.#mapped(now, answer);
    return hasForgotten;
  }

  handleTimeout(now: number): void {
    if (now >= this.#patienceAt || this.#lease?.isOver(now) === true) this.#stand(none("silent"));
    else if (this.#lease?.takeRenewal(now) === true) this.#ask(now, "external");
  }

  poll(now: number): LaneTransmit | null {
    if (this.#repeats?.take(now) !== true) return null;
    return { to: { ip: this.#target.gatewayIp, port: GATEWAY_PORT }, bytes: this.#words() };
  }

  pollRequest(): null {
    return null;
  }

  handleReply(): void {}

  /** A mapping is there, or may be by now. */
  get #isHolding(): boolean {
    return this.#hasMapped || (this.#question === "map" && this.#repeats !== null);
  }

  #words(): Uint8Array {
    const { internalPort } = this.#target;
    if (this.#question === "external") return encodeExternalRequest();
    return this.#question === "map"
      ? encodeMapRequest(internalPort, this.#wishedPort, LIFETIME_SECONDS)
      : encodeMapRequest(internalPort, 0, 0);
  }

  #isAsked(answer: NatPmpAnswer): boolean {
    if (answer.kind === "other-version") return true;
    if (answer.kind === "external") return this.#question === "external";
    if (answer.internalPort !== this.#target.internalPort) return false;
    return this.#question === "map" || (this.#question === "release" && isFarewell(answer));
  }

  #placed(now: number, ip: string): void {
    if (scopeOf(ip) !== "public") {
      if (this.#isHolding) this.release(now);
      return this.#stand(none("not-public"));
    }
    this.#externalIp = ip;
    if (this.#lease !== null) this.#map(now);
    else {
      this.#standing = { kind: "ready" };
      if (this.#leave === "map") this.#map(now);
    }
  }

  #map(now: number): void {
    this.#ask(now, "map");
    if (this.#lease !== null) return;
    this.#standing = ASKING;
    this.#patienceAt = now + PATIENCE_MS;
  }

  #mapped(now: number, { externalPort, lifetimeSeconds }: NatPmpAnswer & { kind: "map" }): void {
    if (this.#externalIp === null || externalPort === 0 || lifetimeSeconds === 0) return this.#stand(none("refused"));
    this.#lease = new Lease(now, leaseMsOf(lifetimeSeconds));
    this.#hasMapped = true;
    this.#wishedPort = externalPort;
    const external = { ip: this.#externalIp, port: externalPort };
    this.#standing = { kind: "mapped", external, leaseMs: this.#lease.ms };
  }

  #ask(now: number, question: "external" | "map"): void {
    this.#question = question;
    this.#repeats = new Repeats(now, ASK_AT_MS);
  }

  /** Without a mapping. */
  #stand(standing: Standing): void {
    this.#standing = standing;
    this.#lease = null;
    this.#patienceAt = Infinity;
  }
}

/** To the end of a mapping, not still to its beginning. */
function isFarewell({ result, lifetimeSeconds }: NatPmpAnswer & { kind: "map" }): boolean {
  return lifetimeSeconds === 0 || result !== natPmpResult.success;
}
