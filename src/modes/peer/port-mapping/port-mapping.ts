import { familyOf, type UdpAddress } from "../../../wire/address.ts";
import type { Transmit } from "../../../wire/core.ts";
import type { HomeReport } from "../../../wire/traversal/port-mapping/home.ts";
import {
  type GatewayRoute,
  type OwnGateway,
  PortMapper,
  type PortMapperEvent,
} from "../../../wire/traversal/port-mapping/port-mapper.ts";
import type { Mapper } from "../../../wire/traversal/network-report.ts";
import { Drive } from "../../runtime/driver.ts";
import { UdpPort } from "../../runtime/udp-port.ts";
import { hostIps } from "../interfaces.ts";
import { systemRandom } from "../own-device.ts";
import type { EndpointSocket } from "../udp-endpoint.ts";
import { askGateway } from "./gateway-http.ts";
import { defaultRoutes, ownGateways } from "./gateways.ts";
import { sourceTowardsInternet } from "./own-source.ts";

export interface PortMappingOptions {
  /** The program's sockets, which others are to reach. */
  readonly sockets: readonly EndpointSocket[];
  /** {@link PortMapping.mapped} or {@link PortMapping.report} say something else now. May not throw. */
  readonly onChange: () => void;
  readonly onFault: (error: unknown) => void;
  /** Where tests say what this machine's gateways are. */
  readonly find?: (sockets: readonly EndpointSocket[]) => Promise<readonly OwnGateway[]>;
  /** Where tests say what this machine's own addresses are. */
  readonly ownIps?: () => readonly string[];
}

/** What the gateways of this machine do for it. */
export interface PortMappingReport {
  /** `off`: nobody was asked, because nobody may be. */
  readonly state: "off" | "asking" | "mapped" | "none";
  /** One for each own address behind a gateway; none where the machine has no gateway, or a public IPv4 address of its own. */
  readonly homes: readonly HomeReport[];
}

/** How long the end of the program waits for gateways to take back what they granted. Milliseconds. */
const CLOSE_TIMEOUT_MS = 500;

/** Asks the gateways to let others reach our sockets, and keeps what they grant until it is closed. */
export class PortMapping implements AsyncDisposable {
  readonly #options: PortMappingOptions;
  readonly #mapper = new PortMapper({ random: systemRandom });
  readonly #drive: Drive<PortMapperEvent, GatewayRoute>;
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  /** By own address. */
  readonly #ports = new Map<string, UdpPort>();
  #looking: Promise<void> | null = null;
  #isWanted = false;
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(options: PortMappingOptions) {
    this.#options = options;
    this.#drive = new Drive(this.#mapper, {
      send: (transmit) => this.#send(transmit),
      onEvent: (event) => this.#handle(event),
      onFault: options.onFault,
    });
  }

  /** Where gateways let others reach us. */
  get mapped(): readonly UdpAddress[] {
    return this.#mapper.mappings.map(({ external }) => external);
  }

  get report(): PortMappingReport {
    const homes = this.#mapper.reports;
    if (!this.#isWanted) return { state: "off", homes };
    if (this.mapped.length > 0) return { state: "mapped", homes };
    return { state: this.#isAsking ? "asking" : "none", homes };
  }

  /** Which protocols have opened a port to the internet, for IPv4. */
  get mappers(): readonly Mapper[] {
    const ipv4 = this.#mapper.reports.filter(({ ownIp }) => familyOf(ownIp) === 4);
    return ipv4.flatMap(({ protocols }) =>
      protocols.flatMap(({ protocol, standing }) => (standing.kind === "mapped" ? protocol : [])),
    );
  }

  /** From now on, until closed. */
  start(): void {
    if (this.#isWanted || this.#isClosed || this.#options.sockets.length === 0) return;
    this.#isWanted = true;
    this.#look();
  }

  /** The network is another one, or a gateway may have restarted: all is asked anew, if it was asked at all. */
  refresh(): void {
    if (this.#isWanted && !this.#isClosed) this.#look();
  }

  /** Resolves when all gateways have answered or had their time. */
  async settled(): Promise<void> {
    while (this.#isWanted && !this.#isClosed && this.#isAsking)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives all back, as far as the gateways answer in half a second. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#mapper.stop(this.#drive.now());
    this.#drive.flush();
    await Promise.race([this.#ended.promise, Bun.sleep(CLOSE_TIMEOUT_MS)]);
    this.#drive.stop();
    this.#abort.abort();
    for (const port of this.#ports.values()) port.close();
    this.#tell();
  }

  get #isAsking(): boolean {
    const isOpen = ({ protocols }: HomeReport) => protocols.some(({ standing }) => standing.kind === "asking");
    return this.#looking !== null || this.#mapper.reports.some(isOpen);
  }

  #look(): void {
    const looking = this.#begin().catch((error: unknown) => this.#options.onFault(error));
    this.#looking = looking;
    void looking.then(() => {
      if (this.#looking === looking) this.#looking = null;
      this.#tell();
    });
  }

  async #begin(): Promise<void> {
    const { sockets, find = findGateways, ownIps = hostIps } = this.#options;
    const gateways = await find(sockets);
    const wanted = new Set(gateways.map(({ ownIp }) => ownIp));
    await Promise.all([...wanted].map((ownIp) => this.#open(ownIp)));
    if (this.#isClosed) return;
    this.#closeAllBut(wanted.union(new Set(ownIps())));
    this.#mapper.start(this.#drive.now(), gateways, [...this.#ports.keys()]);
    this.#drive.wake();
  }

  /** Those of addresses that this machine still has are needed, to give back what was mapped for them. */
  #closeAllBut(ownIps: ReadonlySet<string>): void {
    for (const [ownIp, port] of this.#ports) {
      if (ownIps.has(ownIp)) continue;
      port.close();
      this.#ports.delete(ownIp);
    }
  }

  /** An address that is gone by now gets no socket, and so no answers. */
  async #open(ownIp: string): Promise<void> {
    if (this.#ports.has(ownIp)) return;
    const port = await UdpPort.open({
      ip: ownIp,
      onDatagram: (datagram, remote) => this.#drive.handleDatagram(datagram, { ownIp, remote }),
      onFault: this.#options.onFault,
    }).catch(() => null);
    if (port === null) return;
    if (this.#isClosed || this.#ports.has(ownIp)) port.close();
    else this.#ports.set(ownIp, port);
  }

  #send({ bytes, to }: Transmit<GatewayRoute>): boolean {
    this.#ports.get(to.ownIp)?.send(bytes, to.remote);
    return true;
  }

  #handle(event: PortMapperEvent): void {
    if (event.kind === "request") this.#ask(event).catch((error: unknown) => this.#options.onFault(error));
    else if (event.kind === "ended") this.#ended.resolve();
    else this.#tell();
  }

  async #ask({ id, request }: PortMapperEvent & { kind: "request" }): Promise<void> {
    const reply = await askGateway(request, this.#abort.signal);
    if (this.#abort.signal.aborted) return;
    this.#mapper.handleReply(this.#drive.now(), id, reply);
    this.#drive.wake();
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#options.onChange();
  }
}

async function findGateways(sockets: readonly EndpointSocket[]): Promise<readonly OwnGateway[]> {
  const [routes, ...sources] = await Promise.all([defaultRoutes(), sourceTowardsInternet(4), sourceTowardsInternet(6)]);
  return ownGateways(
    routes,
    sockets,
    sources.filter((ip) => ip !== null),
  );
}
