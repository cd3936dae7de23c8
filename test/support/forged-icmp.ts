import { dlopen, ptr } from "bun:ffi";
import { parseIp, type UdpAddress } from "../../src/wire/address.ts";
import { concat } from "../../src/wire/bytes.ts";

const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;

/**
 * Tells whoever sent a datagram from `from` to `to` that nobody listens there, as anybody on the way could, RFC 792. IPv4, Linux; needs root.
 */
export class IcmpForger implements Disposable {
  readonly #libc = dlopen("libc.so.6", {
    socket: { args: ["int", "int", "int"], returns: "int" },
    sendto: { args: ["int", "ptr", "usize", "int", "ptr", "u32"], returns: "i64" },
    close: { args: ["int"], returns: "int" },
  });
  readonly #socket: number;

  /** @throws Error without the right to */
  constructor() {
    this.#socket = this.#libc.symbols.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (this.#socket < 0) throw new Error("only root may send ICMP messages");
  }

  portUnreachable(from: UdpAddress, to: UdpAddress): void {
    const message = icmp(concat(ipv4Head(from.ip, to.ip), udpHead(from.port, to.port)));
    const target = concat(Uint8Array.of(AF_INET, 0, 0, 0), bytesOf(from.ip), new Uint8Array(8));
    const sent = this.#libc.symbols.sendto(this.#socket, ptr(message), message.length, 0, ptr(target), target.length);
    if (Number(sent) !== message.length) throw new Error("the system did not send it");
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#socket);
    this.#libc.close();
  }
}

/** Type 3, code 3, with what it is about. */
function icmp(about: Uint8Array): Uint8Array {
  const message = concat(Uint8Array.of(3, 3, 0, 0, 0, 0, 0, 0), about);
  new DataView(message.buffer).setUint16(2, checksum(message));
  return message;
}

function ipv4Head(from: string, to: string): Uint8Array {
  const head = concat(Uint8Array.of(0x45, 0, 0, 92, 0, 1, 0, 0, 64, 17, 0, 0), bytesOf(from), bytesOf(to));
  new DataView(head.buffer).setUint16(10, checksum(head));
  return head;
}

function udpHead(from: number, to: number): Uint8Array {
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint16(0, from);
  view.setUint16(2, to);
  view.setUint16(4, 72);
  return head;
}

/** RFC 1071; the length is even. */
function checksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function bytesOf(ip: string): Uint8Array {
  const bytes = parseIp(ip);
  if (bytes?.length !== 4) throw new RangeError(`not an IPv4 address: ${ip}`);
  return bytes;
}
