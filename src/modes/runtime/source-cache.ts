import { canonicalIp, type UdpAddress } from "../../wire/address.ts";

const MAX_ENTRIES = 1_024;

/**
 * The one spelling of where datagrams come from. The runtime hands out text for each datagram and spells an IPv4 sender
 * `::ffff:a.b.c.d` on a dual-stack socket; parsing it anew for each would cost as much as opening a packet.
 */
export class SourceCache {
  readonly #canonical = new Map<string, string | null>();
  #lastText = "";
  #last: UdpAddress | null = null;

  /** @returns null for what is no address */
  find(text: string, port: number): UdpAddress | null {
    if (this.#lastText === text && this.#last?.port === port) return this.#last;
    const ip = this.#spell(text);
    this.#lastText = text;
    this.#last = ip === null ? null : { ip, port };
    return this.#last;
  }

  #spell(text: string): string | null {
    const known = this.#canonical.get(text);
    if (known !== undefined) return known;
    if (this.#canonical.size >= MAX_ENTRIES) this.#canonical.clear();
    const ip = canonicalIp(text);
    this.#canonical.set(text, ip);
    return ip;
  }
}
