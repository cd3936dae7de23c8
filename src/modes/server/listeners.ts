import { lookup } from "node:dns/promises";
import type { Server, WebSocketHandler } from "bun";
import { canonicalIp, familyOf, type UdpAddress } from "../../wire/address.ts";
import type { ListenAddress } from "../cli/command.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort } from "../cli/join-line.ts";
import { systemCode } from "../runtime/system-code.ts";
import type { SocketData } from "./sockets.ts";
import type { TlsPair } from "./tls.ts";
import { type DoorHandlers, UdpDoors } from "./udp-doors.ts";
import { WebPort } from "./web-port.ts";

/** One TCP port, and two UDP ports: one of the same number and the next free one, to tell NAT mappings apart. */
export interface Listener {
  readonly ip: string;
  readonly tcp: WebPort;
  readonly udp: UdpDoors;
}

export interface ListenerHandlers extends DoorHandlers {
  readonly fetch: (request: Request, server: Server<SocketData>) => Response | Promise<Response>;
  readonly websocket: WebSocketHandler<SocketData>;
  /** Null, or left out: no TLS. */
  readonly tls?: TlsPair | null;
}

/** Requests carry no body here. */
const MAX_BODY_BYTES = 1_024;
const ATTEMPTS = 32;

/** @throws UserError `port-in-use`, `config` */
export async function listen(at: ListenAddress, handlers: ListenerHandlers): Promise<Listener> {
  const ip = await ipOf(at);
  for (let attempt = 1; ; attempt++) {
    try {
      return await listenOnce(ip, at.port, handlers);
    } catch (error) {
      if (at.host === null && ip === "::" && isWithoutIpv6(error)) return listen({ ...at, host: "0.0.0.0" }, handlers);
      // A free TCP port may be taken over UDP; then another one does.
      if (at.port !== 0 || attempt === ATTEMPTS || systemCode(error) !== "EADDRINUSE") throw explained(error, at);
    }
  }
}

/** Every address and port at which this server hears UDP. */
export function ownAddresses(listeners: readonly Listener[], localIps: readonly string[]): readonly UdpAddress[] {
  return listeners.flatMap(({ ip, udp }) => {
    const ips = ip === "::" || ip === "0.0.0.0" ? localIps : [ip];
    return udp.addresses.flatMap(({ port }) => ips.map((local) => ({ ip: local, port })));
  });
}

async function listenOnce(ip: string, port: number, handlers: ListenerHandlers): Promise<Listener> {
  const tcp = openTcp(ip, port, handlers);
  try {
    return { ip, tcp, udp: await UdpDoors.open(ip, tcp.port, handlers) };
  } catch (failure) {
    await tcp.stop(true);
    throw failure;
  }
}

function openTcp(ip: string, port: number, { fetch, websocket, tls = null }: ListenerHandlers): WebPort {
  const error = () => new Response(null, { status: 500 });
  const limits = { maxRequestBodySize: MAX_BODY_BYTES, development: false } as const;
  return new WebPort(port, tls, (at, pair) =>
    Bun.serve({ hostname: ip, port: at, fetch, websocket, error, ...limits, ...(pair !== null && { tls: pair }) }),
  );
}

/** UDP needs the address itself. @throws UserError `config` */
async function ipOf({ host }: ListenAddress): Promise<string> {
  if (host === null) return "::";
  const ip = canonicalIp(host);
  if (ip !== null) return ip;
  try {
    const found = await lookup(host);
    return canonicalIp(found.address) ?? found.address;
  } catch (cause) {
    const hint = "give an address of this machine, or :PORT for all of them";
    throw new UserError("config", `cannot listen on ${host}: the name is unknown`, { hint, cause });
  }
}

function isWithoutIpv6(error: unknown): boolean {
  return ["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"].includes(systemCode(error) ?? "");
}

function explained(error: unknown, { host, port }: ListenAddress): UserError {
  const place = host === null ? `port ${port}` : formatHostPort(host, port);
  const say = (state: string, hint: string) =>
    new UserError("config", `cannot listen on ${place}: ${state}`, { hint, cause: error });
  switch (systemCode(error)) {
    case "EADDRINUSE":
      return new UserError("port-in-use", `cannot listen on ${place}: another program does`, {
        hint: "choose another port with --listen :PORT, or stop the other program; UDP needs the same number",
        cause: error,
      });
    case "EACCES":
      return say(
        "the system does not allow it",
        "ports below 1024 need special rights; choose a higher one with --listen :PORT",
      );
    case "EADDRNOTAVAIL":
      return say("this machine has no such address", "give an address of this machine, or :PORT for all of them");
    case "EAFNOSUPPORT":
      return say(
        "this machine does not speak that kind of address",
        `give an IPv${host !== null && familyOf(host) === 6 ? 4 : 6} address`,
      );
    default:
      return say(error instanceof Error ? error.message : String(error), "see --listen in p2p help server");
  }
}
