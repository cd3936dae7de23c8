import { canonicalIp, parseIp, scopeOf } from "../../wire/address.ts";
import type { ProxyNetwork } from "../cli/addresses.ts";
import type { Log } from "../runtime/log.ts";

/** Longer ones are nobody's honest way here. */
const MAX_HEADER_LENGTH = 2_048;

/** What a request shows of where it comes from. */
export interface Origin {
  /** The address at the other end of the connection, canonical. */
  readonly socketIp: string;
  /** `X-Forwarded-For`; several headers joined by commas. */
  readonly forwardedFor: string | null;
}

/**
 * Whom a connection is counted for. Anybody can write a header, so it is believed only where the connection comes from a proxy that the
 * operator named, and of it only the last hop that is no such proxy: the rest was told by that hop.
 */
export class ClientAddresses {
  readonly #proxies: readonly ProxyNetwork[];
  readonly #log: Log;
  #hasWarned = false;

  constructor(proxies: readonly ProxyNetwork[], log: Log) {
    this.#proxies = proxies;
    this.#log = log;
  }

  /** @returns a canonical address; the socket's own where the header says nothing that can be used */
  of({ socketIp, forwardedFor }: Origin): string {
    if (forwardedFor === null) return socketIp;
    if (!this.#isProxy(socketIp)) {
      this.#warn(socketIp);
      return socketIp;
    }
    if (forwardedFor.length > MAX_HEADER_LENGTH) return socketIp;
    for (const hop of forwardedFor.split(",").toReversed()) {
      const ip = ipOfHop(hop.trim());
      if (ip === null) return socketIp;
      if (!this.#isProxy(ip)) return ip;
    }
    return socketIp;
  }

  #isProxy(ip: string): boolean {
    const address = parseIp(ip);
    return address !== null && this.#proxies.some((proxy) => contains(proxy, address));
  }

  /** Said once, and only of an address from which a proxy is likely: on the open network anybody may write such a header. */
  #warn(socketIp: string): void {
    if (this.#hasWarned || scopeOf(socketIp) === "public") return;
    this.#hasWarned = true;
    const hint = `everybody behind it counts as one address; name it with trusted-proxy = "${socketIp}"`;
    this.#log.warn("proxy-not-trusted", { proxy: socketIp, hint });
  }
}

/** An address as proxies write it, with or without a port. A zone means another machine's network, so it is none. */
function ipOfHop(hop: string): string | null {
  if (hop.includes("%")) return null;
  const [, bracketed = null] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop) ?? [];
  if (bracketed !== null) return bracketed.includes(":") ? canonicalIp(bracketed) : null;
  const [, beforePort = hop] = /^([\d.]+):\d{1,5}$/.exec(hop) ?? [];
  return canonicalIp(beforePort);
}

function contains({ address, bits }: ProxyNetwork, other: Uint8Array): boolean {
  if (address.length !== other.length) return false;
  return address.every((byte, at) => {
    const inPrefix = Math.max(0, Math.min(8, bits - 8 * at));
    const mask = 0xff & (0xff << (8 - inPrefix));
    return (byte & mask) === ((other[at] ?? 0) & mask);
  });
}
