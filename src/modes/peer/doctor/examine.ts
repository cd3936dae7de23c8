import { familyOf } from "../../../wire/address.ts";
import { unknownMapping } from "../../../wire/traversal/mapping.ts";
import { hostIps } from "../interfaces.ts";
import { ipsOfNode } from "../node-ips.ts";
import type { NetworkView } from "../own-network.ts";
import { PortMapping, type PortMappingReport } from "../port-mapping/port-mapping.ts";
import { proxyFor } from "../proxy.ts";
import { urlOf } from "../server-address.ts";
import { UdpEndpoint } from "../udp-endpoint.ts";
import { linkMtu } from "./link-mtu.ts";
import { serverClockOffset } from "./server-clock.ts";
import { type Patient, visit, type Visit } from "./server-visit.ts";
import { probeUdp, type UdpProbe } from "./udp-probe.ts";

/** All that was found out about the network here; null for what could not be. */
export interface Findings {
  /** This machine's own addresses, those left out that lead nowhere. */
  readonly ips: readonly string[];
  /** With --relay-only no address is shown to anybody, the server included: UDP was not looked at. */
  readonly isHidden: boolean;
  readonly visit: Visit | null;
  /** Whole seconds by which the server's clock is ahead. */
  readonly clockOffsetSeconds: number | null;
  /** host:port of the HTTP proxy on the way there. */
  readonly proxy: string | null;
  readonly view: NetworkView;
  readonly probe: UdpProbe | null;
  readonly linkMtuBytes: number | null;
  readonly portMapping: PortMappingReport;
}

export interface ExamineOptions {
  /** With --relay-only. */
  readonly isHidden: boolean;
  /** Whether routers may be asked to open a port. It is given back at once. */
  readonly asksRouters: boolean;
  readonly signal: AbortSignal;
}

/** Everything together, so that a person gets an answer. Milliseconds. */
const WHOLE_MS = 4_500;
/** For what comes after the class of the NAT is known. Milliseconds. */
const LAST_LOOKS_MS = 1_500;

/** Looks at everything at once, for five seconds at most. @param patient null where no server is known */
export async function examine(patient: Patient | null, options: ExamineOptions): Promise<Findings> {
  const { isHidden, asksRouters, signal } = options;
  const deadline = performance.now() + WHOLE_MS;
  await using all = new AsyncDisposableStack();
  const endpoint = all.use(isHidden ? noEndpoint() : await UdpEndpoint.open(ignore).catch(noEndpoint));
  const sockets = asksRouters ? endpoint.sockets : [];
  const routers = all.use(new PortMapping({ sockets, onChange: ignore, onFault: ignore }));
  routers.start();
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(WHOLE_MS)]);
  const visited = patient === null ? null : all.use(await visit(patient, inTime));
  signal.throwIfAborted();
  const url = patient === null || visited === null ? null : healthUrl(patient, visited);
  const clock = url === null || visited?.isReached !== true ? null : serverClockOffset(url);
  const looked = visited === null ? nothingSeen : await lookOverUdp(endpoint, visited, deadline);
  await by(deadline, routers.settled());
  return {
    ips: hostIps(),
    isHidden,
    visit: visited,
    clockOffsetSeconds: clock === null ? null : await by(deadline, clock),
    proxy: url === null ? null : (proxyFor(url)?.place ?? null),
    view: viewOf(endpoint, routers),
    portMapping: routers.report,
    ...looked,
  };
}

const ignore = (): void => undefined;
const noEndpoint = (): UdpEndpoint => UdpEndpoint.none(ignore);

function healthUrl({ server }: Patient, { node }: Visit): string {
  return urlOf(server.secure, node, "http", "/healthz");
}

function viewOf(endpoint: UdpEndpoint, { mappers }: PortMapping): NetworkView {
  const { sockets, reflexive, servers, unanswered, mapping } = endpoint;
  return { sockets, reflexive, servers, unanswered, mapping, mappers };
}

type UdpLook = Pick<Findings, "probe" | "linkMtuBytes">;
const nothingSeen: UdpLook = { probe: null, linkMtuBytes: null };

/** First what the sessions go by; then, with other sockets, what might disturb that. */
async function lookOverUdp(endpoint: UdpEndpoint, { tickets, node }: Visit, deadline: number): Promise<UdpLook> {
  const [first, second] = tickets;
  if (first === undefined || second === undefined || endpoint.sockets.length === 0) return nothingSeen;
  const ips = await ipsOfNode(first.node, node).catch(() => []);
  if (ips.length === 0) return nothingSeen;
  endpoint.gather(ips, first);
  await classOf(endpoint, deadline - LAST_LOOKS_MS);
  const family = endpoint.reflexive.some(({ ip }) => familyOf(ip) === 4) ? 4 : 6;
  const server = endpoint.servers.find(({ ip }) => familyOf(ip) === family) ?? endpoint.servers[0];
  if (server === undefined) return nothingSeen;
  const hasTime = endpoint.reflexive.length > 0 && performance.now() < deadline - LAST_LOOKS_MS;
  const probe = hasTime ? await probeUdp(server, second).catch(() => null) : null;
  return { probe, linkMtuBytes: await linkMtu(server).catch(() => null) };
}

/** Resolves when the class of the NAT is known, or nothing is to be known of it; or at the deadline. */
async function classOf(endpoint: UdpEndpoint, deadline: number): Promise<void> {
  const known = Promise.withResolvers<void>();
  const look = (): void => {
    const asked = new Set(endpoint.servers.map(({ ip }) => familyOf(ip)));
    const isKnown = endpoint.mapping.kind !== unknownMapping.kind || !asked.has(4);
    const isSeen = endpoint.reflexive.some(({ ip }) => familyOf(ip) === 6) || endpoint.unanswered.includes(6);
    if (isKnown && (isSeen || !asked.has(6))) known.resolve();
  };
  const stop = endpoint.onMapping(look);
  look();
  await by(deadline, known.promise);
  stop();
}

/** What comes of it by then; null for nothing. */
function by<T>(deadline: number, work: Promise<T>): Promise<T | null> {
  return Promise.race([work, Bun.sleep(Math.max(0, deadline - performance.now())).then(() => null)]);
}
