import { familyOf, scopeOf, type UdpAddress } from "../../address.ts";
import { equalBytes } from "../../bytes.ts";
import {
  ASK_AT_MS,
  ASKING,
  type Lane,
  type LaneTransmit,
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
import { decodePcp, encodePcpMap, GATEWAY_PORT, type PcpAnswer, pcpResult } from "./pcp.ts";
import { Repeats } from "./repeats.ts";

/** One mapping by PCP, of either family: for IPv6 it is a hole in the gateway's firewall. */
export class PcpLane implements Lane {
  readonly protocol = "pcp";
  readonly #target: Target;
  readonly #nonce: Uint8Array;
  readonly #epoch = new EpochWatch();
  #standing: Standing = ASKING;
  #repeats: Repeats | null = null;
  #patienceAt = Infinity;
  #lease: Lease | null = null;
  #isReleasing = false;
  /** What is asked for at the end: none, or the shortest that the gateway has. */
  #lastSeconds = 0;
  #wish: { readonly ip: string | null; readonly port: number };

  /** @param nonce the same for as long as the program runs: a gateway that remembers the mapping lets nobody else change it */
  constructor(target: Target, nonce: Uint8Array) {
    this.#target = target;
    this.#nonce = nonce;
    this.#wish = { ip: null, port: target.internalPort };
  }

  get standing(): Standing {
    return this.#standing;
  }

  get isReleased(): boolean {
    return !this.#isReleasing || (this.#repeats?.dueAt ?? Infinity) === Infinity;
  }

  get dueAt(): number {
    return Math.min(this.#repeats?.dueAt ?? Infinity, this.#patienceAt, this.#lease?.dueAt ?? Infinity);
  }

  start(now: number): void {
    this.#isReleasing = false;
    this.#repeats = new Repeats(now, ASK_AT_MS);
    this.#patienceAt = now + PATIENCE_MS;
    if (this.#lease === null) this.#standing = ASKING;
  }

  /** Nothing is better: what it holds it keeps. */
  allow(): void {}

  release(now: number): void {
    const isUnanswered = this.#repeats !== null && !this.#isReleasing;
    if (this.#lease !== null) this.#repeats = new Repeats(now, RELEASE_AT_MS);
    else this.#repeats = isUnanswered ? new Repeats(now, [0]) : null;
    this.#isReleasing = true;
    this.#lastSeconds = 0;
    this.#stand(none("unwanted"));
  }

  handleDatagram(now: number, datagram: Uint8Array, from: UdpAddress): boolean {
    const answer = from.port === GATEWAY_PORT ? decodePcp(datagram) : null;
    if (answer === null || !this.#isOurs(answer)) return false;
    this.#repeats = null;
    this.#patienceAt = Infinity;
    if (answer.kind === "other-version") {
      if (!this.#isReleasing) this.#stand(none("unsupported"));
      return false;
    }
    const hasForgotten = this.#epoch.hear(now, answer.epochSeconds);
    if (!this.#isReleasing) this.#answered(now, answer);
    else if (answer.result === pcpResult.notAuthorized && this.#lastSeconds === 0) this.#shorten(now);
    return hasForgotten;
  }

  handleTimeout(now: number): void {
    if (now >= this.#patienceAt || this.#lease?.isOver(now) === true) this.#stand(none("silent"));
    else if (this.#lease?.takeRenewal(now) === true) this.#repeats = new Repeats(now, ASK_AT_MS);
  }

  poll(now: number): LaneTransmit | null {
    if (this.#repeats?.take(now) !== true) return null;
    const { ownIp, internalPort, gatewayIp } = this.#target;
    const lifetimeSeconds = this.#isReleasing ? this.#lastSeconds : LIFETIME_SECONDS;
    const request = { ownIp, nonce: this.#nonce, internalPort, lifetimeSeconds, suggested: this.#wish };
    return { to: { ip: gatewayIp, port: GATEWAY_PORT }, bytes: encodePcpMap(request) };
  }

  pollRequest(): null {
    return null;
  }

  handleReply(): void {}

  /** miniupnpd does not know a pinhole again that was asked for twice: it takes a new lifetime for it, and refuses to end it. */
  #shorten(now: number): void {
    this.#lastSeconds = 1;
    this.#repeats = new Repeats(now, RELEASE_AT_MS);
  }

  /** Whoever sees none of our datagrams cannot know the nonce. What has no room for one can only turn us away. */
  #isOurs(answer: PcpAnswer): boolean {
    if (answer.kind === "other-version") return this.#repeats !== null;
    if (!equalBytes(answer.nonce, this.#nonce) || answer.internalPort !== this.#target.internalPort) return false;
    if (!this.#isReleasing || this.#lastSeconds > 0) return true;
    // The answer to the beginning of a mapping may come after its end was asked for.
    return answer.lifetimeSeconds === 0 || answer.result !== pcpResult.success;
  }

  #answered(now: number, { result, lifetimeSeconds, external }: PcpAnswer & { kind: "map" }): void {
    const isGranted = result === pcpResult.success && lifetimeSeconds > 0 && external.port > 0;
    if (!isGranted || familyOf(external.ip) !== familyOf(this.#target.ownIp))
      return this.#stand(none(result === pcpResult.unsupportedOpcode ? "unsupported" : "refused", result));
    this.#lease = new Lease(now, leaseMsOf(lifetimeSeconds));
    if (scopeOf(external.ip) !== "public") {
      this.release(now);
      return this.#stand(none("not-public"));
    }
    this.#wish = external;
    this.#standing = { kind: "mapped", external, leaseMs: this.#lease.ms };
  }

  /** Without a mapping. */
  #stand(standing: Standing): void {
    this.#standing = standing;
    this.#lease = null;
    this.#patienceAt = Infinity;
  }
}
