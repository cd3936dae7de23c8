import { canonicalIp } from "../../../wire/address.ts";

/** Addresses for examples, which lie behind the default route wherever that leads (RFC 5737, RFC 3849). */
const ELSEWHERE = { 4: "198.51.100.1", 6: "2001:db8:ffff:ffff::1" } as const;

/**
 * The address that this machine has towards the internet, as the system would choose it now: in a tunnel that of the tunnel, whatever the
 * routing table says of others. Nothing is sent.
 * @returns null where no way leads there
 */
export async function sourceTowardsInternet(family: 4 | 6): Promise<string | null> {
  try {
    const hostname = family === 4 ? "0.0.0.0" : "::";
    const socket = await Bun.udpSocket({ hostname, connect: { hostname: ELSEWHERE[family], port: 9 } });
    const { address } = socket.address;
    socket.close();
    return canonicalIp(address);
  } catch {
    return null;
  }
}
