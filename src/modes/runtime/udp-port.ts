import { canonicalIp, familyOf, scopeOf, type UdpAddress } from "../../wire/address.ts";
import { dropLeading, dropNothing } from "./packet-filter.ts";
import { joinReceived, SegmentOffload } from "./segment-offload.ts";
import { forbidFragments, tuneSocket } from "./socket-options.ts";
import { SourceCache } from "./source-cache.ts";
import { bindUdp, sendSome, type UdpSocket, type Unsent } from "./udp-socket.ts";

export interface UdpPortOptions {
  /** `0.0.0.0`, `::` or one address of this machine. */
  readonly ip: string;
  /** 0 leaves the choice to the system; omitted: a random one from 32 768 up. */
  readonly port?: number;
  /** Whether a socket on `::` also speaks IPv4, as a server's does. Default false. */
  readonly dualStack?: boolean;
  /** `datagram` is never empty and its memory is the handler's to keep; `from` is canonical. */
  readonly onDatagram: (datagram: Uint8Array, from: UdpAddress) => void;
  /** There is room again after `send` gave false. */
  readonly onDrain?: () => void;
  /** Datagrams of this length do not fit the way out to there: EMSGSIZE. The rest of their burst is given up. */
  readonly onTooLong?: (to: UdpAddress, bytes: number) => void;
  /**
   * Whether bursts go to the kernel in one piece, and come from it so: `onDatagram` then gets several datagrams of one source behind
   * each other, all but the last of one length. Where the system has no such thing nothing changes. Default false.
   */
  readonly offload?: boolean;
  /** What `onDatagram` or `onDrain` threw. The port goes on. */
  readonly onFault: (error: unknown) => void;
  /** Where tests let the kernel report ICMP errors after all. */
  readonly tune?: (fd: number, family: 4 | 6) => boolean;
  /** Where tests put a socket that has no room, or fails. */
  readonly bind?: typeof bindUdp;
}

/** Datagrams, counted since the port was opened. */
export interface UdpPortStats {
  received: number;
  /** Empty, cut off by the kernel, or from no address that could be answered. */
  ignored: number;
  sent: number;
  /** Given up after a second try. */
  failed: number;
  /** Not even tried: no such destination, no room, or the port is closed. */
  refused: number;
  /** ICMP errors and the like, which the kernel reports on its own. */
  errors: number;
}

/** What the kernel had no room for. */
interface Burst {
  readonly bytes: Uint8Array;
  readonly to: UdpAddress;
  readonly segmentBytes: number;
}

/** When the drain does not come, or the system has none to give. Milliseconds. */
const DRAIN_FALLBACK_MS = 5;
/** RFC 1700; what systems set for datagrams unless told otherwise. */
const DEFAULT_HOPS = 64;

/**
 * One UDP socket with the runtime's traps fenced in: `send` never throws, an ICMP error of one destination costs no other a datagram,
 * no handler's throw ends the process, and addresses have one spelling.
 */
export class UdpPort {
  readonly stats: UdpPortStats = { received: 0, ignored: 0, sent: 0, failed: 0, refused: 0, errors: 0 };
  readonly #options: UdpPortOptions;
  readonly #sources = new SourceCache();
  #socket: UdpSocket | null = null;
  #address: UdpAddress;
  #reachableIp: string | null = null;
  #held: Burst | null = null;
  #offload: SegmentOffload | null = null;
  #isUnfragmented = false;
  #fallback: Timer | undefined;

  private constructor(options: UdpPortOptions) {
    this.#options = options;
    this.#address = { ip: options.ip, port: 0 };
  }

  /** @throws the system's error: `code` EADDRINUSE when the given port is taken, EADDRNOTAVAIL, or EAFNOSUPPORT where there is no IPv6 */
  static async open(options: UdpPortOptions): Promise<UdpPort> {
    const port = new UdpPort(options);
    port.#socket = await (options.bind ?? bindUdp)(options.ip, options.port, {
      data: (_, datagram, fromPort, fromIp, flags) => port.#receive(datagram, fromPort, fromIp, flags.truncated),
      drain: () => port.#drain(),
      error: () => void port.stats.errors++,
    });
    port.#address = { ip: options.ip, port: port.#socket.port };
    const fd = fdOf(port.#socket);
    (options.tune ?? tuneSocket)(fd, familyOf(options.ip));
    port.#isUnfragmented = forbidFragments(fd, familyOf(options.ip), options.dualStack === true);
    if (options.offload === true) {
      port.#offload = SegmentOffload.on(fd);
      joinReceived(fd);
    }
    return port;
  }

  /** No datagram is cut up on its way out: one that arrives shows that the path carries its length. */
  get isUnfragmented(): boolean {
    return this.#isUnfragmented;
  }

  /** As bound; the IP may be a wildcard. */
  get address(): UdpAddress {
    return this.#address;
  }

  /**
   * Never throws; a datagram that cannot leave is lost, as on any network. A link-local address needs its zone: `fe80::1%eth0`.
   * @param bytes copied by the kernel, so free to be used again
   * @param segmentBytes when `bytes` are several datagrams of this length, of which only the last may be shorter
   * @returns false when there is no room: what did not leave yet is kept, what comes before `onDrain` is lost
   */
  send(bytes: Uint8Array, to: UdpAddress, segmentBytes = bytes.length): boolean {
    if (this.#held === null && segmentBytes > 0 && this.#canReach(to)) return this.#push({ bytes, to, segmentBytes });
    this.stats.refused++;
    return this.#held === null;
  }

  /** One datagram that may pass so many routers and no more (IPv4). Lost where there is no room. Never throws. */
  sendWithin(hopLimit: number, bytes: Uint8Array, to: UdpAddress): void {
    const socket = this.#held === null && this.#canReach(to) ? this.#socket : null;
    if (socket === null || !limitHops(socket, hopLimit)) return void this.stats.refused++;
    const result = this.#sendSome(socket, bytes, to, bytes.length);
    limitHops(socket, DEFAULT_HOPS);
    if (typeof result === "number") this.stats.sent += result;
    else this.stats.failed++;
  }

  /**
   * The kernel throws away what begins with this byte, until it is told null. What it has already taken still comes. Where the system has
   * no such thing nothing changes.
   */
  drop(leading: number | null): void {
    if (this.#socket === null) return;
    if (leading === null) dropNothing(fdOf(this.#socket));
    else dropLeading(fdOf(this.#socket), leading);
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
    this.#held = null;
    clearTimeout(this.#fallback);
  }

  #push({ bytes, to, segmentBytes }: Burst): boolean {
    for (let at = 0; at < bytes.length && this.#socket !== null;) {
      const result = this.#sendSome(this.#socket, bytes.subarray(at), to, segmentBytes);
      if (result === "no-room") return this.#hold({ bytes: bytes.slice(at), to, segmentBytes });
      if (typeof result === "string") return this.#giveUp({ bytes: bytes.subarray(at), to, segmentBytes }, result);
      this.stats.sent += result;
      at += result * segmentBytes;
    }
    return true;
  }

  /** A burst that the kernel refuses is either too long for the way out, or one too many for it: datagrams without offload show which. */
  #sendSome(socket: UdpSocket, bytes: Uint8Array, to: UdpAddress, segmentBytes: number): number | Unsent {
    const offloadBytes = this.#offload?.take(bytes.length, segmentBytes) ?? 0;
    const result = sendSome(socket, bytes, to, segmentBytes, offloadBytes);
    if (offloadBytes === 0 || typeof result === "number" || result === "no-room") return result;
    this.#offload?.pause();
    const alone = sendSome(socket, bytes, to, segmentBytes, 0);
    if (typeof alone === "number") this.#offload = null;
    return alone;
  }

  #giveUp({ bytes, to, segmentBytes }: Burst, why: Unsent): true {
    this.stats.failed += Math.ceil(bytes.length / segmentBytes);
    const length = Math.min(segmentBytes, bytes.length);
    if (why === "too-long") this.#guard(() => this.#options.onTooLong?.(to, length));
    return true;
  }

  #hold(rest: Burst): false {
    this.#held = rest;
    clearTimeout(this.#fallback);
    this.#fallback = setTimeout(() => this.#drain(), DRAIN_FALLBACK_MS);
    return false;
  }

  #drain(): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    if (this.#push(held)) this.#guard(() => this.#options.onDrain?.());
  }

  #receive(datagram: Uint8Array, fromPort: number, fromIp: string, truncated: boolean): void {
    const from = truncated || datagram.length === 0 ? null : this.#sources.find(fromIp, fromPort);
    if (from === null || !this.#speaks(familyOf(from.ip))) this.stats.ignored++;
    else {
      this.stats.received++;
      this.#guard(() => this.#options.onDatagram(datagram, from));
    }
  }

  /** The system would also send to `127.1`, take `0.0.0.0` for this machine and look a name up. */
  #canReach(to: UdpAddress): boolean {
    if (this.#socket === null || !Number.isInteger(to.port) || to.port < 1 || to.port > 65_535) return false;
    if (to.ip === this.#reachableIp) return true;
    const [bare = "", zone] = to.ip.split("%");
    if (canonicalIp(bare) !== bare || scopeOf(bare) === "unspecified" || !this.#speaks(familyOf(bare))) return false;
    if (zone !== undefined && scopeOf(bare) !== "link-local") return false;
    this.#reachableIp = to.ip;
    return true;
  }

  #speaks(family: 4 | 6): boolean {
    return family === familyOf(this.#options.ip) || (this.#options.ip === "::" && this.#options.dualStack === true);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.onFault(error);
    }
  }
}

/** There, but not in the types. */
function fdOf(socket: UdpSocket): number {
  const { fd } = socket as { readonly fd?: unknown };
  return typeof fd === "number" ? fd : -1;
}

/** @returns false where the system does not take it */
function limitHops(socket: UdpSocket, hops: number): boolean {
  try {
    socket.setTTL(hops);
    return true;
  } catch {
    return false;
  }
}
