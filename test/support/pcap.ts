import { formatIp } from "../../src/wire/address.ts";

/** One IP packet of a capture. */
export interface Packet {
  readonly protocol: "udp" | "tcp" | "other";
  /** Sender and receiver, as hex address and port: `7f000001:7420`. */
  readonly from: string;
  readonly to: string;
  /** Place of the payload in its TCP stream; 0 for others. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Where the EtherType stands and where the packet begins, by the link type of the capture. */
const links: Readonly<Record<number, readonly [typeAt: number, headerBytes: number]>> = {
  1: [12, 14], // Ethernet
  113: [14, 16], // LINUX_SLL
  276: [0, 20], // LINUX_SLL2
};

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** The IP packets of a little-endian pcap file, draft-ietf-opsawg-pcap §4. @throws Error when it is none */
export function readPcap(file: Uint8Array): readonly Packet[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const link = links[view.getUint32(20, true) & 0xffff];
  if (link === undefined || (view.getUint32(0, true) | 0) !== (0xa1b2c3d4 | 0))
    throw new Error("not a pcap file we read");
  const packets: Packet[] = [];
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= file.length;) {
    const length = view.getUint32(at + 8, true);
    const packet = readFrame(file.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length), link);
    if (packet !== null) packets.push(packet);
    at += RECORD_HEADER_BYTES + length;
  }
  return packets;
}

function readFrame(frame: Uint8Array, [typeAt, headerBytes]: readonly [number, number]): Packet | null {
  const packet = frame.subarray(headerBytes);
  const etherType = u16(frame, typeAt);
  if (etherType === 0x0800)
    return readTransport(packet, 12, 4, (u8(packet, 0) & 15) * 4, u16(packet, 2), u8(packet, 9));
  if (etherType === 0x86dd) return readTransport(packet, 8, 16, 40, 40 + u16(packet, 4), u8(packet, 6));
  return null;
}

function readTransport(
  packet: Uint8Array,
  addressesAt: number,
  addressBytes: number,
  headerBytes: number,
  totalBytes: number,
  protocolNumber: number,
): Packet {
  // Offloaded segments may be longer than their header can say.
  const body = packet.subarray(headerBytes, totalBytes === 0 ? undefined : totalBytes);
  const address = (which: number) =>
    `${packet.subarray(addressesAt + which * addressBytes, addressesAt + (which + 1) * addressBytes).toHex()}:${u16(body, which * 2)}`;
  const ends = { from: address(0), to: address(1) };
  if (protocolNumber === 17) return { protocol: "udp", ...ends, sequence: 0, payload: body.subarray(8) };
  if (protocolNumber !== 6) return { protocol: "other", ...ends, sequence: 0, payload: body };
  const isFirst = (u8(body, 13) & 0x02) !== 0;
  const sequence = u16(body, 4) * 65_536 + u16(body, 6) + (isFirst ? 1 : 0);
  return { protocol: "tcp", ...ends, sequence, payload: body.subarray((u8(body, 12) >> 4) * 4) };
}

/** What a capture of all interfaces has seen several times is one. */
export function onceEach(packets: readonly Packet[]): readonly Packet[] {
  return [...new Map(packets.map((packet) => [`${packet.to} ${packet.payload.toHex()}`, packet])).values()];
}

/** An end of a packet. */
export function placeOf(text: string): { readonly ip: string; readonly port: number } {
  const at = text.lastIndexOf(":");
  return { ip: formatIp(Uint8Array.fromHex(text.slice(0, at))), port: Number(text.slice(at + 1)) };
}

/** What each end of each TCP connection sent, put together again. A gap ends it: nothing may be lost on loopback. */
export function tcpStreams(packets: readonly Packet[]): readonly Uint8Array[] {
  const segments = packets.filter(({ protocol, payload }) => protocol === "tcp" && payload.length > 0);
  return [...Map.groupBy(segments, ({ from, to }) => `${from} ${to}`).values()].map(join);
}

function join(segments: readonly Packet[]): Uint8Array {
  const first = segments[0]?.sequence ?? 0;
  /** From the beginning of the stream, also where the numbers begin anew. */
  const placed = segments.map(({ sequence, payload }) => ({ at: (sequence - first) | 0, payload }));
  const begin = Math.min(...placed.map(({ at }) => at));
  const pieces: Uint8Array[] = [];
  let end = begin;
  for (const { at, payload } of placed.toSorted((a, b) => a.at - b.at)) {
    if (at > end) throw new Error(`the capture lacks ${at - end} bytes of a TCP stream`);
    if (at + payload.length <= end) continue;
    pieces.push(payload.subarray(end - at));
    end = at + payload.length;
  }
  return Buffer.concat(pieces);
}

function u8(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return u8(bytes, at) * 256 + u8(bytes, at + 1);
}
