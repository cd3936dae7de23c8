import { readFile } from "node:fs/promises";
import { canonicalIp, familyOf } from "../../../wire/address.ts";
import { isWorthMapping, type OwnGateway } from "../../../wire/traversal/port-mapping/port-mapper.ts";
import { isInSubnet } from "../../../wire/traversal/subnet.ts";
import { hostIps, readOrNothing, type ReadInterfaces } from "../interfaces.ts";
import type { EndpointSocket } from "../udp-endpoint.ts";
import {
  type DefaultRoute,
  defaultInProcIpv6Route,
  defaultInProcRoute,
  defaultsInNetstat,
  defaultsInRoutePrint,
} from "./route-tables.ts";

/** For a command that prints a table. Milliseconds. */
const COMMAND_TIMEOUT_MS = 2_000;

/** This machine's ways to the internet, as its routing table has them; none where it does not tell. */
export async function defaultRoutes(platform: NodeJS.Platform = process.platform): Promise<readonly DefaultRoute[]> {
  if (platform === "win32") return defaultsInRoutePrint(await printed("route", "print"));
  if (platform !== "linux") return defaultsInNetstat(await printed("netstat", "-rn"));
  const [ipv4, ipv6] = await Promise.all([readTable("/proc/net/route"), readTable("/proc/net/ipv6_route")]);
  return [defaultInProcRoute(ipv4) ?? [], defaultInProcIpv6Route(ipv6) ?? []].flat();
}

/**
 * Which of this machine's addresses lie behind which gateway, as far as something could be mapped there; the port is our socket's.
 * @param sources what this machine has towards the internet: a gateway that is not on that way, as beside a tunnel, is left alone
 */
export function ownGateways(
  routes: readonly DefaultRoute[],
  sockets: readonly EndpointSocket[],
  sources: readonly string[],
  read: ReadInterfaces = readOrNothing,
): readonly OwnGateway[] {
  const told = hostIps(read);
  return routes.flatMap(({ gatewayIp }) => {
    const family = familyOf(gatewayIp);
    const beside = ipsBeside(gatewayIp, read);
    const source = sources.find((ip) => beside.includes(ip));
    const socket = sockets.find((each) => each.family === family);
    if (source === undefined || socket === undefined) return [];
    return (family === 4 ? [source] : beside)
      .filter((ip) => told.includes(ip) && isWorthMapping(ip))
      .map((ownIp): OwnGateway => ({ ownIp, gatewayIp, internalPort: socket.port }));
  });
}

/** Of the gateway's family, on the interface that leads to it. */
function ipsBeside(gatewayIp: string, read: ReadInterfaces): readonly string[] {
  const [bare = "", zone] = gatewayIp.split("%");
  for (const [name, infos = []] of Object.entries(read())) {
    const own = infos.flatMap(({ address, cidr, scopeid }) => {
      const [ip, prefix] = [canonicalIp(address), Number(cidr?.split("/")[1] ?? Number.NaN)];
      return ip === null || familyOf(ip) !== familyOf(bare) ? [] : [{ ip, prefix, scopeid }];
    });
    const isBeside =
      zone === undefined
        ? own.some((subnet) => !Number.isNaN(subnet.prefix) && isInSubnet(bare, subnet))
        : name === zone || own.some(({ scopeid }) => `${scopeid}` === zone);
    if (isBeside) return own.map(({ ip }) => ip);
  }
  return [];
}

async function readTable(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

async function printed(...command: string[]): Promise<string> {
  try {
    const options = { stdin: "ignore", stdout: "pipe", stderr: "ignore", timeout: COMMAND_TIMEOUT_MS } as const;
    return await Bun.spawn(command, { ...options, windowsHide: true }).stdout.text();
  } catch {
    return "";
  }
}
