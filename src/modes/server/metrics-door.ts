import type { AccountStore } from "../../store/accounts.ts";
import type { Bus } from "../../store/bus.ts";
import { canonicalIp, scopeOf } from "../../wire/address.ts";
import type { ListenAddress } from "../cli/command.ts";
import { UserError } from "../cli/errors.ts";
import { formatHostPort } from "../cli/join-line.ts";
import type { Lifecycle } from "../runtime/lifecycle.ts";
import type { Log } from "../runtime/log.ts";
import { systemCode } from "../runtime/system-code.ts";
import { redisMs } from "./cluster-figures.ts";
import type { Metrics } from "./metrics.ts";
import type { Services } from "./services.ts";
import { answerMsOrNull } from "./status.ts";

export interface MetricsOptions {
  readonly store: AccountStore;
  readonly bus: Bus;
  readonly services: Services;
  readonly log: Log;
}

const LOOPBACK = "127.0.0.1";

/** Serves `GET /metrics` until `lifecycle` ends. Without a host it is heard on this machine alone. @throws UserError `port-in-use`, `config` */
export async function openMetricsDoor(
  at: ListenAddress,
  { store, bus, services, log }: MetricsOptions,
  lifecycle: Lifecycle,
): Promise<void> {
  const { createMetrics } = await import("./metrics.ts"); // nobody else waits for its library
  const onTrouble = (error: unknown) => log.error("store-trouble", { error: String(error) });
  const metrics = createMetrics(services, {
    storeMs: () => answerMsOrNull(store, onTrouble),
    redisMs: services.ownPlace === null ? null : () => redisMs(bus),
  });
  const server = listen(at, (request) => answer(request, metrics));
  lifecycle.add("metrics", () => server.stop(true));
  log.info("metrics", { http: formatHostPort(at.host ?? LOOPBACK, server.port ?? 0) });
}

/** @returns what an operator should think over about this place; null when it is loopback */
export function doubtAboutMetrics({ host, port }: ListenAddress): string | null {
  if (host === null || host === "localhost") return null;
  const ip = canonicalIp(host);
  if (ip !== null && scopeOf(ip) === "loopback") return null;
  return `the figures of this server can be read from other machines, without a password (--metrics ${formatHostPort(host, port)})`;
}

async function answer(request: Request, metrics: Metrics): Promise<Response> {
  if (URL.parse(request.url)?.pathname !== "/metrics") return new Response(null, { status: 404 });
  if (request.method !== "GET") return new Response(null, { status: 405, headers: { Allow: "GET" } });
  return new Response(await metrics.render(), { headers: { "Content-Type": metrics.contentType } });
}

function listen({ host, port }: ListenAddress, fetch: (request: Request) => Promise<Response>) {
  const hostname = host ?? LOOPBACK;
  try {
    const error = () => new Response(null, { status: 500 });
    // Left to itself, Bun shares a port with whoever asks for it as soon as it is not in development.
    return Bun.serve({ hostname, port, reusePort: false, development: false, maxRequestBodySize: 1_024, fetch, error });
  } catch (cause) {
    const place = formatHostPort(hostname, port);
    if (systemCode(cause) === "EADDRINUSE")
      throw new UserError("port-in-use", `cannot serve metrics on ${place}: another program listens there`, {
        hint: "choose another port with --metrics :PORT",
        cause,
      });
    const state = cause instanceof Error ? cause.message : String(cause);
    const hint = "give an address of this machine, or --metrics :PORT for loopback";
    throw new UserError("config", `cannot serve metrics on ${place}: ${state}`, { hint, cause });
  }
}
