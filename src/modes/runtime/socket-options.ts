import { dlopen, ptr } from "bun:ffi";

/** Calls setsockopt(2) with an int, or with a structure. @returns whether the kernel took it */
export type SetSocketOption = (fd: number, level: number, option: number, value: number | Uint8Array) => boolean;

// Linux numbers, from asm-generic/socket.h, in.h and in6.h.
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IP_RECVERR = 11;
const IPPROTO_IPV6 = 41;
const IPV6_MTU_DISCOVER = 23;
const IPV6_RECVERR = 25;
/** Never fragment, and take no ICMP's word for what fits: anyone can send one. ip(7), ipv6(7). */
const PMTUDISC_PROBE = 3;

/** The kernel cuts it to its own maximum: 208 KiB where nobody raised net.core.rmem_max. Bytes. */
const BUFFER_BYTES = 4 * 1_024 * 1_024;

let loaded: SetSocketOption | null | undefined;

/**
 * Bun asks the kernel for ICMP errors, and each of them makes the next send fail, to whomever it goes; this takes it back. Larger
 * buffers let a burst through. Everything works without: the port then sends once more.
 * @returns whether ICMP errors are off
 */
export function tuneSocket(fd: number, family: 4 | 6): boolean {
  const set = setSocketOption();
  if (set === null || fd < 0) return false;
  set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
  // A dual-stack socket has both error queues; on one for IPv4 alone the second is none.
  const ipv4 = set(fd, IPPROTO_IP, IP_RECVERR, 0);
  return family === 4 ? ipv4 : set(fd, IPPROTO_IPV6, IPV6_RECVERR, 0);
}

/**
 * What is longer than the way out is refused with EMSGSIZE from now on, and what is longer than the path vanishes; nothing is cut up.
 * @param isDualStack the socket speaks IPv4 as well
 * @returns whether that is certain; where not, a packet that arrives shows nothing about the path
 */
export function forbidFragments(fd: number, family: 4 | 6, isDualStack: boolean): boolean {
  const set = setSocketOption();
  if (set === null || fd < 0) return false;
  const ipv4 = (family === 6 && !isDualStack) || set(fd, IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE);
  return ipv4 && (family === 4 || set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE));
}

/** @returns null where there is no such library or no way to call into it */
export function setSocketOption(): SetSocketOption | null {
  loaded ??= loadSetSocketOption();
  return loaded;
}

function loadSetSocketOption(): SetSocketOption | null {
  if (process.platform !== "linux") return null;
  const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  for (const library of ["libc.so.6", musl])
    try {
      const { symbols } = dlopen(library, {
        setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
      });
      return (fd, level, option, value) => {
        const bytes = typeof value === "number" ? Int32Array.of(value) : value;
        return symbols.setsockopt(fd, level, option, ptr(bytes), bytes.byteLength) === 0;
      };
    } catch {
      continue;
    }
  return null;
}
