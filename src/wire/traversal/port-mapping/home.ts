import { familyOf, type UdpAddress } from "../../address.ts";
import type { Random } from "../../core.ts";
import type { Mapper } from "../network-report.ts";
import type { Lane, Leave, Standing } from "./lane.ts";
import { NatPmpLane } from "./nat-pmp-lane.ts";
import { PCP_NONCE_BYTES } from "./pcp.ts";
import { PcpLane } from "./pcp-lane.ts";
import type { GatewayRoute, OwnGateway, PortMapping } from "./port-mapper.ts";
import type { GatewayReply, GatewayRequest } from "./soap.ts";
import { UpnpLane } from "./upnp-lane.ts";

/** What came of one address of this machine. */
export interface HomeReport extends OwnGateway {
  /** Best first. */
  readonly protocols: readonly { readonly protocol: Mapper; readonly standing: Standing }[];
}

/** One own address behind its gateway: the protocols side by side, the best that gives a mapping wins. */
export class Home {
  readonly #gateway: OwnGateway;
  readonly #bareIp: string;
  readonly #lanes: readonly Lane[];
  #asking: Lane | null = null;
  #isReleasing = false;

  constructor(gateway: OwnGateway, random: Random) {
    const { ownIp, internalPort, gatewayIp } = gateway;
    this.#gateway = gateway;
    this.#bareIp = gatewayIp.split("%", 1)[0] ?? gatewayIp;
    const target = { ownIp, internalPort, gatewayIp: this.#bareIp };
    const pcp = new PcpLane(target, random(PCP_NONCE_BYTES));
    this.#lanes = familyOf(ownIp) === 6 ? [pcp] : [pcp, new NatPmpLane(target), new UpnpLane(target, random)];
  }

  get ownIp(): string {
    return this.#gateway.ownIp;
  }

  get mapping(): PortMapping | null {
    const { ownIp, internalPort } = this.#gateway;
    for (const { standing } of this.#lanes)
      if (standing.kind === "mapped") return { ownIp, internalPort, external: standing.external };
    return null;
  }

  get report(): HomeReport {
    return { ...this.#gateway, protocols: this.#lanes.map(({ protocol, standing }) => ({ protocol, standing })) };
  }

  get isReleased(): boolean {
    return this.#lanes.every((lane) => lane.isReleased);
  }

  get dueAt(): number {
    return Math.min(...this.#lanes.map((lane) => lane.dueAt));
  }

  isFor({ ownIp, internalPort, gatewayIp }: OwnGateway): boolean {
    const own = this.#gateway;
    return own.ownIp === ownIp && own.internalPort === internalPort && own.gatewayIp === gatewayIp;
  }

  /** Only the gateway that was asked is listened to. */
  hears(ownIp: string, remote: UdpAddress): boolean {
    return ownIp === this.#gateway.ownIp && remote.ip === this.#bareIp;
  }

  start(now: number): void {
    this.#isReleasing = false;
    for (const lane of this.#lanes) lane.start(now);
    this.#arrange(now);
  }

  release(now: number): void {
    this.#isReleasing = true;
    for (const lane of this.#lanes) lane.release(now);
  }

  /** @returns whether the gateway has forgotten what it granted */
  handleDatagram(now: number, datagram: Uint8Array, from: UdpAddress): boolean {
    const hasForgotten = this.#lanes.map((lane) => lane.handleDatagram(now, datagram, from)).includes(true);
    this.#arrange(now);
    return hasForgotten;
  }

  handleTimeout(now: number): void {
    for (const lane of this.#lanes) lane.handleTimeout(now);
    this.#arrange(now);
  }

  poll(now: number): { readonly to: GatewayRoute; readonly bytes: Uint8Array } | null {
    const { ownIp, gatewayIp } = this.#gateway;
    for (const lane of this.#lanes) {
      const out = lane.poll(now);
      if (out === null) continue;
      const ip = out.to.ip === this.#bareIp ? gatewayIp : out.to.ip;
      return { to: { ownIp, remote: { ip, port: out.to.port } }, bytes: out.bytes };
    }
    return null;
  }

  pollRequest(): GatewayRequest | null {
    if (this.#asking !== null) return null;
    for (const lane of this.#lanes) {
      const request = lane.pollRequest();
      if (request === null) continue;
      this.#asking = lane;
      return request;
    }
    return null;
  }

  handleReply(now: number, reply: GatewayReply | null): void {
    const lane = this.#asking;
    this.#asking = null;
    lane?.handleReply(now, reply);
    this.#arrange(now);
  }

  /** A protocol maps when all better ones have come to nothing, and gives way when one of them maps after all. */
  #arrange(now: number): void {
    if (this.#isReleasing) return;
    let leave: Leave = "map";
    let takenPort: number | null = null;
    for (const lane of this.#lanes) {
      lane.allow(now, leave, takenPort);
      const { standing } = lane;
      if (standing.kind === "mapped") takenPort ??= standing.external.port;
      if (takenPort !== null) leave = "rest";
      else if (standing.kind !== "none" && leave === "map") leave = "look";
    }
  }
}
