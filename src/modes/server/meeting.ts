import type { Server } from "bun";
import type { ListenAddress } from "../cli/command.ts";
import type { ServerNode } from "../cli/join-line.ts";
import type { Lifecycle } from "../runtime/lifecycle.ts";
import { createApp } from "./http/app.ts";
import { fingerprintOf } from "./key-files.ts";
import { listen, type Listener, ownAddresses } from "./listeners.ts";
import { Newcomers } from "./newcomers.ts";
import { assembleServices, type Services, type ServicesOptions } from "./services.ts";
import { type SocketData, webSockets } from "./sockets.ts";
import type { TlsPair } from "./tls.ts";
import { localIps } from "./udp-doors.ts";
import { UdpEntry } from "./udp-entry.ts";

/** Between the goodbye and the end of the sockets. */
const FAREWELL_MS = 250;
/** Clients come back spread over this time, from a second on. */
const RECONNECT_SPREAD_MS = 5_000;
/** As many as a ticket can name. */
const MAX_UDP_PORTS = 4;

export interface MeetingOptions extends Omit<ServicesOptions, "ownPlace"> {
  /** Where clients reach this node and no other, by its port; null, or left out: as they reach the server. */
  readonly ownPlace?: (port: number) => Promise<ServerNode | null>;
  readonly listen: readonly ListenAddress[];
  /** Null, or left out: no TLS. */
  readonly tls?: TlsPair | null;
  /** Whether join lines begin with p2ps; left out: with TLS. */
  readonly secure?: boolean;
}

/** The meeting place in operation. */
export interface Meeting {
  readonly listeners: readonly Listener[];
  readonly services: Services;
  readonly newcomers: Newcomers;
}

/** What the ports hand on to, once it is there. */
interface Running {
  fetch: Fetch | null;
  udp: UdpEntry | null;
}

type Fetch = (request: Request, server: Server<SocketData>) => Promise<Response>;

/** Opens the ports and answers. What it opened is closed by `lifecycle`. @throws UserError `port-in-use`, `config` */
export async function openMeeting(options: MeetingOptions, lifecycle: Lifecycle): Promise<Meeting> {
  const running: Running = { fetch: null, udp: null };
  const listeners: Listener[] = [];
  lifecycle.add("ports", () => closePorts(listeners));
  for (const at of options.listen) listeners.push(await listen(at, handlersOf(options, running)));
  const ownPlace = (await options.ownPlace?.(listeners[0]?.tcp.port ?? 0)) ?? null;
  const services = await assembleServices(
    { ...options, ownPlace },
    {
      ports: listeners.flatMap(({ udp }) => udp.addresses.map(({ port }) => port)).slice(0, MAX_UDP_PORTS),
      ownAddresses: ownAddresses(listeners, localIps()),
    },
  );
  lifecycle.add("presence", () => rest(services));
  await services.revocations.start();
  await services.link.start();
  await services.attendance.start();
  const newcomers = new Newcomers(options.clock, services.limits);
  running.udp = new UdpEntry(services.discovery, services.udpRelay);
  const secure = options.secure ?? (options.tls ?? null) !== null;
  const app = createApp({ services, newcomers, fingerprint: fingerprintOf(options.keys), secure });
  // An upgrade costs a fifth of a handshake, and hundreds of them come in one turn of the loop.
  running.fetch = async (request, server) => services.turns.answer(() => app.fetch(request, server));
  lifecycle.add("channels", () => farewell(services, listeners));
  return { listeners, services, newcomers };
}

function handlersOf({ clock, log, tls = null }: MeetingOptions, running: Running): Parameters<typeof listen>[1] {
  return {
    fetch: (request, server) => running.fetch?.(request, server) ?? new Response(null, { status: 503 }),
    websocket: webSockets({ clock, log }),
    onDatagram: (buffer, from, listener, outlet) => running.udp?.handle(buffer, from, listener, outlet),
    onFault: (error) => log.error("udp-defect", { error: String(error) }),
    tls,
  };
}

/** New connections are refused first; then those that are there hear when to come back. */
async function farewell({ members, random }: Services, listeners: readonly Listener[]): Promise<void> {
  for (const { tcp } of listeners) void tcp.stop();
  const present = members.all();
  for (const member of present) {
    const [first = 0, second = 0] = random(2);
    member.end("terminated", 1_000 + ((first * 256 + second) % RECONNECT_SPREAD_MS));
  }
  if (present.length > 0) await Bun.sleep(FAREWELL_MS);
}

async function rest({ revocations, watchers, link, attendance }: Services): Promise<void> {
  revocations.stop();
  watchers.stop();
  link.stop();
  await attendance.stop();
}

async function closePorts(listeners: readonly Listener[]): Promise<void> {
  for (const { tcp, udp } of listeners) {
    udp.close();
    await tcp.stop(true);
  }
}
