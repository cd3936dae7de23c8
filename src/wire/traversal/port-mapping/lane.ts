import type { UdpAddress } from "../../address.ts";
import type { Mapper } from "../network-report.ts";
import type { GatewayReply, GatewayRequest } from "./soap.ts";

/**
 * Why a protocol gives no mapping: nobody answers, or nobody who speaks it; the gateway refuses; its own address is not public, as behind a
 * carrier's NAT; or it is not wanted, because a better one did.
 */
export type NoMapping = "silent" | "unsupported" | "refused" | "not-public" | "unwanted";

/** What one protocol has come to. */
export type Standing =
  | { readonly kind: "asking" }
  /** The gateway speaks it and was not asked for a mapping. */
  | { readonly kind: "ready" }
  /** `leaseMs` is null where the gateway knows no end. */
  | { readonly kind: "mapped"; readonly external: UdpAddress; readonly leaseMs: number | null }
  /** `code` is the gateway's own, of that protocol. */
  | { readonly kind: "none"; readonly why: NoMapping; readonly code: number | null };

/** `look`: what changes nothing at the gateway. `rest`: a better protocol has it, and a mapping by this one goes. */
export type Leave = "map" | "look" | "rest";

/** Of ours, which one gateway maps: where datagrams to it leave from, and lead to. */
export interface Target {
  readonly ownIp: string;
  readonly internalPort: number;
  /** Canonical, without a zone. */
  readonly gatewayIp: string;
}

/** One protocol's way to one mapping. */
export interface Lane {
  readonly protocol: Mapper;
  readonly standing: Standing;
  /** Asks all anew: at first, and when the gateway may have forgotten. A mapping that stands is asked for again. */
  start(now: number): void;
  /** @param takenPort the external one that a better protocol has, with `rest` */
  allow(now: number, leave: Leave, takenPort: number | null): void;
  /**
   * Ends what it holds, and asks for nothing more before the next start.
   * @param takenPort an external one that is not to be closed: gateways keep one table for all protocols
   */
  release(now: number, takenPort?: number | null): void;
  /** Nothing is under way that the end of the program should wait for. */
  readonly isReleased: boolean;
  /** @param from the gateway, at any port. @returns whether it tells that the gateway has forgotten what it granted */
  handleDatagram(now: number, datagram: Uint8Array, from: UdpAddress): boolean;
  handleTimeout(now: number): void;
  /** @returns what to send now, and where to in the terms of {@link UdpAddress} */
  poll(now: number): LaneTransmit | null;
  /** @returns what to ask by HTTP; one at a time, and each gets {@link handleReply} */
  pollRequest(): GatewayRequest | null;
  handleReply(now: number, reply: GatewayReply | null): void;
  /** Infinity when nothing is due. */
  readonly dueAt: number;
}

export interface LaneTransmit {
  readonly to: UdpAddress;
  readonly bytes: Uint8Array;
}

/** How long a gateway in the house takes at most; who answers later is still heard. Milliseconds. */
export const PATIENCE_MS = 250;
/** Questions to a gateway: thrice within that, and for one that was busy or far twice more. Milliseconds. */
export const ASK_AT_MS: readonly number[] = [0, 100, 200, 1_000, 3_000];
/** When to say again, at the end, that a mapping is not wanted any more. Milliseconds. */
export const RELEASE_AT_MS: readonly number[] = [0, 100, 250];
/** What a datagram asks for: RFC 6887 §15 and RFC 6886 §3.3 recommend it. Seconds. */
export const LIFETIME_SECONDS = 7_200;

const MIN_LEASE_MS = 20_000;
const MAX_LEASE_MS = 86_400_000;

/** However short or long a life the gateway names. */
export function leaseMsOf(lifetimeSeconds: number): number {
  return Math.min(Math.max(lifetimeSeconds * 1_000, MIN_LEASE_MS), MAX_LEASE_MS);
}

export const ASKING: Standing = { kind: "asking" };

export function none(why: NoMapping, code: number | null = null): Standing {
  return { kind: "none", why, code };
}

/** It was given up because a better protocol had one. */
export function isUnwanted(standing: Standing): boolean {
  return standing.kind === "none" && standing.why === "unwanted";
}

/** A mapping that holds for a time: asked for again when half of that is over, and again when half of the rest is. RFC 6887 §11.2.1. */
export class Lease {
  readonly ms: number;
  readonly #expiresAt: number;
  #renewAt: number;

  constructor(now: number, ms: number) {
    this.ms = ms;
    this.#expiresAt = now + ms;
    this.#renewAt = now + ms / 2;
  }

  get dueAt(): number {
    return Math.min(this.#renewAt, this.#expiresAt);
  }

  isOver(now: number): boolean {
    return now >= this.#expiresAt;
  }

  /** @returns whether to ask for it again now */
  takeRenewal(now: number): boolean {
    if (now < this.#renewAt) return false;
    this.#renewAt = now + Math.max((this.#expiresAt - now) / 2, MIN_LEASE_MS / 2);
    return true;
  }
}
