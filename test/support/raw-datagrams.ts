import { concat, equalBytes, utf8 } from "../../src/wire/bytes.ts";
import { familyOf, type UdpAddress } from "../../src/wire/address.ts";
import type { Seeded } from "../sim/seeded.ts";
import { flipBit, hex } from "./bytes.ts";
import { udpSocketAt } from "./raw-proc.ts";

/** What other protocols say first: bad input 17. */
export const foreign: readonly Uint8Array[] = [
  utf8("eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbmEifQ.AAAA"),
  utf8("GET / HTTP/1.1\r\nHost: p2p\r\n\r\n"),
  hex("abcd 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001"), // DNS query
  hex(`0001 0000 2112a442 ${"11".repeat(12)}`), // STUN binding request
  hex(`c3 00000001 08 ${"22".repeat(8)} 00 00 449e ${"33".repeat(1_182)}`), // QUIC Initial
  hex(`01000000 ${"44".repeat(144)}`), // WireGuard initiation
  hex(`16 fefd 0000 000000000000 0030 01 000024 0000 000000000024 fefd ${"55".repeat(34)}`), // DTLS ClientHello
];

/**
 * Endless datagrams that deserve no answer, from a seed: noise, and genuine ones cut short, drawn out, with bits turned over, and put
 * together wrong. None of them is a genuine one.
 */
export function* hostileDatagrams(numbers: Seeded, genuine: readonly Uint8Array[]): Generator<Uint8Array, never> {
  for (;;) {
    const datagram = hostileDatagram(numbers, genuine);
    if (!genuine.some((each) => equalBytes(each, datagram))) yield datagram;
  }
}

function hostileDatagram(numbers: Seeded, genuine: readonly Uint8Array[]): Uint8Array {
  const one = pick(numbers, genuine);
  switch (numbers.between(0, 9)) {
    case 0:
      return numbers.bytes(noiseLength(numbers));
    case 1:
      return numbers.bytes(numbers.between(0, 80));
    case 2:
      return pick(numbers, foreign);
    case 3:
      return one.subarray(0, numbers.between(0, one.length - 1));
    case 4:
      return concat(one, numbers.bytes(numbers.between(1, 64)));
    case 5: // a genuine head, as far as the receiver index or the ticket, with noise behind it
      return concat(one.subarray(0, numbers.between(1, 20)), numbers.bytes(numbers.between(0, 1_400)));
    case 6:
      return spliced(numbers, one, pick(numbers, genuine));
    case 7: // as receive offload hands them over: several in one buffer
      return concat(turned(numbers, one, 1), turned(numbers, one, 2), one.subarray(0, numbers.between(0, one.length)));
    default:
      return turned(numbers, one, numbers.between(1, 8));
  }
}

function noiseLength(numbers: Seeded): number {
  if (numbers.chance(0.001)) return 65_507;
  return numbers.chance(0.01) ? 9_000 : numbers.between(0, 1_500);
}

function turned(numbers: Seeded, bytes: Uint8Array, bits: number): Uint8Array {
  let result = bytes;
  for (let count = 0; count < bits && bytes.length > 0; count++)
    result = flipBit(result, numbers.between(0, bytes.length * 8 - 1));
  return result;
}

function spliced(numbers: Seeded, one: Uint8Array, other: Uint8Array): Uint8Array {
  const at = numbers.between(1, Math.min(one.length, other.length) - 1);
  return concat(one.subarray(0, at), other.subarray(at));
}

export function pick<T>(numbers: Seeded, items: readonly T[]): T {
  const item = items[numbers.between(0, items.length - 1)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** So many fit into the smallest receive buffer together, whatever their length up to an MTU. */
const VOLLEY = 32;

/** A UDP socket that fires and keeps what comes back. */
export class Gun implements Disposable {
  readonly heard: Uint8Array[] = [];
  #socket: Bun.udp.Socket<"buffer"> | null = null;
  #onHeard: () => void = () => undefined;

  static async load(ip: "127.0.0.1" | "::1"): Promise<Gun> {
    const gun = new Gun();
    const data = (_: unknown, datagram: Uint8Array): void => gun.#hear(datagram);
    gun.#socket = await Bun.udpSocket({ hostname: ip, socket: { data, error: () => undefined } });
    return gun;
  }

  send(datagram: Uint8Array, { ip, port }: UdpAddress): void {
    this.#socket?.send(datagram, port, ip);
  }

  /** Sends it and waits for what comes back. */
  async ask(datagram: Uint8Array, to: UdpAddress): Promise<Uint8Array> {
    const heard = new Promise<void>((resolve) => (this.#onHeard = resolve));
    this.send(datagram, to);
    await heard;
    return this.heard.at(-1) ?? new Uint8Array();
  }

  /**
   * Fires so many, as fast as the other end reads them: none is lost on the way.
   * @returns how many the kernel dropped all the same
   */
  async fire(datagrams: Iterator<Uint8Array, unknown>, count: number, to: UdpAddress): Promise<number> {
    const family = familyOf(to.ip);
    const dropsBefore = udpSocketAt(family, to.port).drops;
    for (let fired = 0; fired < count;) {
      for (let volley = 0; volley < VOLLEY && fired < count; volley++, fired++) {
        const next = datagrams.next();
        if (next.done === true) throw new Error("out of datagrams");
        this.send(next.value, to);
      }
      while (udpSocketAt(family, to.port).queuedBytes > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return udpSocketAt(family, to.port).drops - dropsBefore;
  }

  [Symbol.dispose](): void {
    this.#socket?.close();
  }

  #hear(datagram: Uint8Array): void {
    this.heard.push(datagram.slice());
    this.#onHeard();
  }
}
