import type { Server } from "bun";
import { Hono } from "hono";
import { canonicalIp } from "../../../wire/address.ts";
import { CHANNEL_SUBPROTOCOL } from "../../../wire/limits.ts";
import { ChannelSocket } from "../channel-socket.ts";
import type { Newcomers } from "../newcomers.ts";
import { Refusal } from "../refusal.ts";
import { RelaySocket } from "../relay-socket.ts";
import type { Services } from "../services.ts";
import type { SocketData, Upgrade } from "../sockets.ts";
import type { Tally } from "../tally.ts";
import type { SocketHandler, WebSocketPort } from "../web-socket-port.ts";
import { frontPage, pageHeaders } from "./pages.ts";

export interface AppOptions {
  readonly services: Services;
  readonly newcomers: Newcomers;
  /** 52 base32 characters. */
  readonly fingerprint: string;
  /** Whether join lines begin with p2ps. */
  readonly secure: boolean;
}

type Env = { Bindings: Server<SocketData> };

const MAX_OFFERED_LENGTH = 256;

/**
 * The few things that are said over plain HTTP, none of them secret, and the two upgrades. No browser is a client, so whatever carries an
 * `Origin` is turned away; whatever else is asked for gets an empty answer.
 */
export function createApp(options: AppOptions): Hono<Env> {
  const app = new Hono<Env>({ strict: true });
  const paths = new Map<string, (request: Request, server: Server<SocketData>) => Response>([
    ["/", () => page(frontPage(options))],
    ["/healthz", () => plain("ok\n")],
    ["/v1/key", () => plain(`${options.fingerprint}\n`)],
    ["/v1/channel", (request, server) => upgrade(request, server, channelOf(options, request), options)],
    ["/v1/relay", (request, server) => upgrade(request, server, relayOf(options), options)],
  ]);
  app.all("*", (context) => {
    const request = context.req.raw;
    const answer = paths.get(URL.parse(request.url)?.pathname ?? "");
    if (answer === undefined) return empty(404);
    if (request.method !== "GET") return empty(405, { Allow: "GET" });
    if (request.headers.has("origin")) return empty(403);
    return answer(request, context.env);
  });
  app.onError(() => empty(500));
  return app;
}

interface Offer {
  readonly enter: (ip: string) => Upgrade;
  readonly headers: Record<string, string>;
}

function channelOf({ services, newcomers }: AppOptions, request: Request): Offer | null {
  const header = request.headers.get("sec-websocket-protocol") ?? "";
  const offered = header.split(",").map((each) => each.trim());
  if (header.length > MAX_OFFERED_LENGTH || !offered.includes(CHANNEL_SUBPROTOCOL)) return null;
  const enter = (ip: string) =>
    admitted(newcomers, services.tally, ip, (port, leave) => new ChannelSocket(services, port, offered, leave));
  return { enter, headers: { "Sec-WebSocket-Protocol": CHANNEL_SUBPROTOCOL } };
}

function relayOf({ services, newcomers }: AppOptions): Offer {
  const enter = (ip: string) =>
    admitted(newcomers, services.tally, ip, (port, leave) => new RelaySocket(services, port, leave));
  return { enter, headers: {} };
}

/** A client sees no body of a refused upgrade, so it is upgraded first and then closed with a code and seconds. */
function admitted(
  newcomers: Newcomers,
  tally: Tally,
  ip: string,
  open: (port: WebSocketPort, leave: () => void) => SocketHandler,
): Upgrade {
  try {
    const leave = newcomers.enter(ip);
    return { open: (port) => open(port, leave), leave, ip };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    tally.refused("connections", error);
    return { refusal: error, ip };
  }
}

function upgrade(
  request: Request,
  server: Server<SocketData>,
  offer: Offer | null,
  { services }: AppOptions,
): Response {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return empty(426, { Upgrade: "websocket" });
  if (offer === null) return empty(400);
  const socketIp = canonicalIp(server.requestIP(request)?.address ?? "");
  if (socketIp === null) return empty(400);
  const ip = services.clientAddresses.of({ socketIp, forwardedFor: request.headers.get("x-forwarded-for") });
  const data: SocketData = { upgrade: offer.enter(ip), socket: null };
  if (server.upgrade(request, { data, headers: offer.headers })) return new Response(null);
  if ("leave" in data.upgrade) data.upgrade.leave();
  return empty(400);
}

function page(html: string): Response {
  return new Response(html, { headers: { ...pageHeaders } });
}

function plain(text: string): Response {
  return new Response(text, {
    headers: { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" },
  });
}

function empty(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers });
}
