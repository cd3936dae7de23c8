import { ptr } from "bun:ffi";
import { setSocketOption } from "./socket-options.ts";

// Linux numbers, from asm-generic/socket.h and linux/bpf_common.h.
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const SO_DETACH_FILTER = 27;
const LOAD_BYTE = 0x30;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** A filter of a UDP socket sees the datagram with its header, RFC 768. Bytes. */
const UDP_HEADER_BYTES = 8;
const ALL_BYTES = 0xffff_ffff;

/** The kernel throws away what begins with this byte, before it costs this program anything. @returns whether it does */
export function dropLeading(fd: number, byte: number): boolean {
  const program = [
    instruction(LOAD_BYTE, 0, 0, UDP_HEADER_BYTES),
    instruction(JUMP_IF_EQUAL, 0, 1, byte),
    instruction(RETURN, 0, 0, 0),
    instruction(RETURN, 0, 0, ALL_BYTES),
  ];
  const code = new Uint8Array(program.flat());
  const head = new Uint8Array(16);
  const view = new DataView(head.buffer);
  view.setUint16(0, program.length, true);
  view.setBigUint64(8, BigInt(ptr(code)), true);
  return setSocketOption()?.(fd, SOL_SOCKET, SO_ATTACH_FILTER, head) ?? false;
}

export function dropNothing(fd: number): void {
  setSocketOption()?.(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

/** struct sock_filter of linux/filter.h; the machines this runs on are little-endian. */
function instruction(code: number, ifTrue: number, ifFalse: number, k: number): readonly number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint16(0, code, true);
  view.setUint8(2, ifTrue);
  view.setUint8(3, ifFalse);
  view.setUint32(4, k, true);
  return [...new Uint8Array(view.buffer)];
}
