import { familyOf, type UdpAddress } from "../../../wire/address.ts";
import { UdpPort } from "../../runtime/udp-port.ts";

/** Headers of IP and UDP. */
const HEADER_BYTES = { 4: 28, 6: 48 } as const;
const SMALLEST = 512;
const LARGEST = 65_507;

/**
 * The largest packet that leaves this machine towards the server, headers included; what lies behind may take less, and each session finds that
 * out for itself. Less than 20 datagrams of zeros go there, which the server drops unread.
 * @returns null where the system does not refuse what is too long. Bytes
 */
export async function linkMtu(server: UdpAddress): Promise<number | null> {
  const family = familyOf(server.ip);
  let isTooLong = false;
  const port = await UdpPort.open({
    ip: family === 6 ? "::" : "0.0.0.0",
    onDatagram: () => undefined,
    onTooLong: () => (isTooLong = true),
    onFault: () => undefined,
  });
  const leaves = (bytes: number): boolean => {
    isTooLong = false;
    const { sent } = port.stats;
    port.send(new Uint8Array(bytes), server);
    return port.stats.sent > sent && !isTooLong;
  };
  try {
    if (!port.isUnfragmented || !leaves(SMALLEST)) return null;
    return longest(leaves) + HEADER_BYTES[family];
  } finally {
    port.close();
  }
}

function longest(leaves: (bytes: number) => boolean): number {
  let [low, high] = [SMALLEST, LARGEST];
  if (leaves(high)) return high;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (leaves(middle)) low = middle;
    else high = middle;
  }
  return low;
}
