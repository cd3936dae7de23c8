import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import { canonicalIp, familyOf, scopeOf, type UdpAddress } from "../../wire/address.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { systemCode } from "../runtime/system-code.ts";
import { UdpPort } from "../runtime/udp-port.ts";
import { UdpOutlet } from "./udp-outlet.ts";

export interface DoorHandlers {
  /** @param buffer one datagram, or several that the kernel has joined. @param listener 0 or 1. @param outlet to answer by */
  readonly onDatagram: (buffer: Uint8Array, from: UdpAddress, listener: number, outlet: UdpOutlet) => void;
  readonly onFault: (error: unknown) => void;
}

/** As `os.networkInterfaces()`. */
export type ReadInterfaces = () => Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export interface DoorOptions {
  readonly read?: ReadInterfaces;
  readonly clock?: Clock;
}

type Pair = readonly [UdpPort, UdpPort];

const ATTEMPTS = 32;
/** Between two looks at the machine's addresses. Milliseconds. */
const LOOK_EVERY_MS = 10_000;

/**
 * The two UDP ports of a listener. A socket on all addresses answers from the one that the system prefers on the way out, and nothing lets
 * that in at the other end which asked another one. So where a machine has several addresses of one family, each has sockets of its own.
 */
export class UdpDoors {
  /** As listened on: the IP may be a wildcard. */
  readonly addresses: readonly [UdpAddress, UdpAddress];
  readonly #handlers: DoorHandlers;
  readonly #read: ReadInterfaces;
  readonly #clock: Clock;
  readonly #open = new Map<string, Pair>();
  #cancelLook: () => void = () => undefined;
  #isClosed = false;

  private constructor(addresses: readonly [UdpAddress, UdpAddress], handlers: DoorHandlers, options: DoorOptions) {
    this.addresses = addresses;
    this.#handlers = handlers;
    this.#read = options.read ?? networkInterfaces;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * @param port the first one's; the second's is the next that is free
   * @throws the system's error where a port is taken or an address is none of this machine's
   */
  static async open(ip: string, port: number, handlers: DoorHandlers, options: DoorOptions = {}): Promise<UdpDoors> {
    const pair = await openPair(ip, port, handlers);
    const [first, second] = pair;
    const doors = new UdpDoors([first.address, second.address], handlers, options);
    doors.#open.set(ip, pair);
    if (isWildcard(ip)) await doors.#look();
    return doors;
  }

  /** The IPs that have sockets of their own, or the one that was listened on. */
  get ips(): readonly string[] {
    return [...this.#open.keys()];
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelLook();
    for (const ip of this.ips) this.#shut(ip);
  }

  /** Addresses come and go, above all those of IPv6. Never rejects: where the system cannot tell, what is open stays so. */
  async #look(): Promise<void> {
    try {
      await this.#follow();
    } catch (error) {
      this.#handlers.onFault(error);
    }
    if (!this.#isClosed) this.#cancelLook = this.#clock.after(LOOK_EVERY_MS, () => void this.#look());
  }

  async #follow(): Promise<void> {
    const [{ ip: wildcard }] = this.addresses;
    const ips = new Set(ownIps(this.#read).filter((ip) => wildcard === "::" || familyOf(ip) === 4));
    if (this.#open.has(wildcard) && !isAmbiguous(ips)) return;
    // A port on all addresses and one of a single address exclude each other.
    for (const ip of this.ips) if (!ips.has(ip)) this.#shut(ip);
    for (const ip of ips) if (!this.#open.has(ip)) await this.#add(ip);
    if (this.#open.size === 0) await this.#add(wildcard);
  }

  async #add(ip: string): Promise<void> {
    const [first, second] = this.addresses.map(({ port }, listener) => openUdp(ip, port, listener, this.#handlers));
    const opened = await Promise.allSettled([first, second]);
    const ports = opened.flatMap((each) =>
      each.status === "fulfilled" && each.value !== undefined ? [each.value] : [],
    );
    const [one, two] = ports;
    // An address that is just being made ready cannot be listened on yet: at the next look.
    if (one === undefined || two === undefined || this.#isClosed) for (const port of ports) port.close();
    else this.#open.set(ip, [one, two]);
  }

  #shut(ip: string): void {
    for (const port of this.#open.get(ip) ?? []) port.close();
    this.#open.delete(ip);
  }
}

async function openPair(ip: string, port: number, handlers: DoorHandlers): Promise<Pair> {
  const first = await openUdp(ip, port, 0, handlers);
  try {
    return [first, await openNext(ip, first.address.port, handlers)];
  } catch (failure) {
    first.close();
    throw failure;
  }
}

async function openNext(ip: string, after: number, handlers: DoorHandlers): Promise<UdpPort> {
  for (let step = 1; ; step++) {
    try {
      return await openUdp(ip, ((after + step - 1) % 65_535) + 1, 1, handlers);
    } catch (error) {
      if (step === ATTEMPTS || systemCode(error) !== "EADDRINUSE") throw error;
    }
  }
}

async function openUdp(ip: string, port: number, listener: number, handlers: DoorHandlers): Promise<UdpPort> {
  const opened: { outlet: UdpOutlet | null } = { outlet: null };
  const udp = await UdpPort.open({
    ip,
    port,
    dualStack: ip === "::",
    offload: true,
    onDatagram(buffer, from) {
      if (opened.outlet !== null) handlers.onDatagram(buffer, from, listener, opened.outlet);
    },
    onDrain: () => opened.outlet?.drained(),
    onFault: handlers.onFault,
  });
  opened.outlet = new UdpOutlet(udp);
  return udp;
}

function isWildcard(ip: string): boolean {
  return ip === "::" || ip === "0.0.0.0";
}

/** There are several of a family. Not counting the machine's own loop: who asks there is answered from there. */
function isAmbiguous(all: ReadonlySet<string>): boolean {
  const ips = [...all].filter((ip) => scopeOf(ip) !== "loopback");
  return [4, 6].some((family) => ips.filter((ip) => familyOf(ip) === family).length > 1);
}

/** All that can be listened on without naming an interface. */
function ownIps(read: ReadInterfaces): readonly string[] {
  return localIps(read).filter((ip) => scopeOf(ip) !== "link-local");
}

/** This machine's addresses, canonical. */
export function localIps(read: ReadInterfaces = networkInterfaces): readonly string[] {
  const infos = Object.values(read()).flatMap((each) => each ?? []);
  return infos.flatMap(({ address }) => canonicalIp(address) ?? []);
}
