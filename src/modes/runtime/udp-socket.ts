import type { UdpAddress } from "../../wire/address.ts";
import { systemCode } from "./system-code.ts";

export type UdpSocket = Bun.udp.Socket<"uint8array">;
export type UdpHandlers = Bun.udp.SocketHandler<"uint8array">;

const LOWEST_RANDOM_PORT = 32_768;
const RANDOM_PORT_ATTEMPTS = 16;
/** The runtime's own batches have 204, and after an error at the edge of one it reports no drain. Datagrams. */
const MAX_BATCH = 200;
/** No room now, later maybe; the latter two are how macOS says it. */
const NO_ROOM: readonly unknown[] = ["EAGAIN", "EWOULDBLOCK", "ENOBUFS", "ENOMEM"];

/** `too-long`: for the way out of this machine, and at a second try again; `failed`: for any other reason. */
export type Unsent = "no-room" | "too-long" | "failed";

/** @param port omitted: a random one, out of the way of servers and of most systems' own choice */
export async function bindUdp(ip: string, port: number | undefined, handlers: UdpHandlers): Promise<UdpSocket> {
  const open = (port: number) =>
    Bun.udpSocket({ hostname: ip, port, binaryType: "uint8array", socket: { ...handlers } });
  if (port !== undefined) return open(port);
  for (let attempt = 0; attempt < RANDOM_PORT_ATTEMPTS; attempt++)
    try {
      return await open(randomPort());
    } catch (error) {
      if (systemCode(error) !== "EADDRINUSE") throw error;
    }
  return open(0);
}

/**
 * Hands the kernel what it takes of a burst.
 * @param offloadBytes as many as go in one call; 0 where the kernel does not cut bursts
 * @returns how many datagrams left, at least one; or why the first one could not be sent
 */
export function sendSome(
  socket: UdpSocket,
  bytes: Uint8Array,
  to: UdpAddress,
  segmentBytes: number,
  offloadBytes: number,
): number | Unsent {
  if (offloadBytes > 0) {
    const result = sendOne(socket, bytes.subarray(0, offloadBytes), to);
    return result === 1 ? Math.ceil(offloadBytes / segmentBytes) : result;
  }
  const sent = bytes.length > segmentBytes ? sendBatch(socket, bytes, to, segmentBytes) : 0;
  return sent > 0 ? sent : sendOne(socket, bytes.subarray(0, segmentBytes), to);
}

/** @returns how many left; why no more did is for {@link sendOne} to find out */
function sendBatch(socket: UdpSocket, bytes: Uint8Array, to: UdpAddress, segmentBytes: number): number {
  const packets: (Uint8Array | string | number)[] = [];
  for (let at = 0; at < bytes.length && packets.length < 3 * MAX_BATCH; at += segmentBytes)
    packets.push(bytes.subarray(at, at + segmentBytes), to.port, to.ip);
  try {
    return socket.sendMany(packets);
  } catch {
    return 0;
  }
}

/** An ICMP error that another destination caused is thrown at the next send, and that datagram is not sent: hence the second try. */
function sendOne(socket: UdpSocket, datagram: Uint8Array, to: UdpAddress): 1 | Unsent {
  let unsent: Unsent = "failed";
  for (let attempt = 0; attempt < 2; attempt++)
    try {
      return socket.send(datagram, to.port, to.ip) ? 1 : "no-room";
    } catch (error) {
      if (NO_ROOM.includes(systemCode(error))) return "no-room";
      unsent = systemCode(error) === "EMSGSIZE" ? "too-long" : "failed";
    }
  return unsent;
}

function randomPort(): number {
  const [random = 0] = crypto.getRandomValues(new Uint16Array(1));
  return LOWEST_RANDOM_PORT + (random % (65_536 - LOWEST_RANDOM_PORT));
}
