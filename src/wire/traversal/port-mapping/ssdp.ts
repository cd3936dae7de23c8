import type { UdpAddress } from "../../address.ts";
import { utf8 } from "../../bytes.ts";

/** Where devices listen for searches. UPnP Device Architecture 1.1 §1.3.2. */
export const SSDP_GROUP: UdpAddress = { ip: "239.255.255.250", port: 1_900 };

const MAX_BYTES = 2_048;
/** What a version 1 gateway is called; later ones must answer to it too. */
const GATEWAY = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";

/** To the group, or to one device, which then answers at once. UPnP Device Architecture 1.1 §1.3.2. */
export function encodeSearch(to: UdpAddress): Uint8Array {
  const lines = [
    "M-SEARCH * HTTP/1.1",
    `HOST: ${to.ip}:${to.port}`,
    'MAN: "ssdp:discover"',
    ...(to.ip === SSDP_GROUP.ip ? ["MX: 1"] : []),
    `ST: ${GATEWAY}`,
  ];
  return utf8(`${lines.join("\r\n")}\r\n\r\n`);
}

/** @returns where the device's description lies, as it says; null for what is no answer to a search */
export function decodeSearchAnswer(datagram: Uint8Array): string | null {
  if (datagram.length > MAX_BYTES) return null;
  const [status = "", ...lines] = new TextDecoder("latin1").decode(datagram).split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200\b/.test(status)) return null;
  const header = lines.find((line) => /^location:/i.test(line));
  const location = header?.slice("location:".length).trim() ?? "";
  return /^[!-~]{1,1024}$/.test(location) ? location : null;
}
