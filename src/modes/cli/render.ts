import { formatBitRate, formatBytes, formatCount, formatMs, formatSeconds, formatShare } from "./amounts.ts";
import type {
  CliEvent,
  ClosedEvent,
  MigratedEvent,
  OfferSummary,
  PathKind,
  PongEvent,
  ProgressEvent,
  RequestEvent,
  StatsEvent,
  TransferEvent,
  TransferLimit,
} from "./events.ts";
import { pairTable, reportTable } from "./report-table.ts";
import { sanitizeLine, sanitizeLines } from "./sanitize.ts";
import { statusTable } from "./status-table.ts";

/** Errors are drawn by the output itself. */
type DrawnEvent = Exclude<CliEvent, { event: "error" }>;

type EndEvent = Extract<TransferEvent, { event: "sent" | "received" }>;

/** Where a person finds it: payload on stdout, notes on stderr, the redrawn line, or only with `--verbose`. */
export interface Rendered {
  readonly to: "stdout" | "stderr" | "status" | "detail";
  readonly text: string;
}

/** What a person reads of an event; every string of it is cleaned, whoever wrote it. */
export function renderEvent(event: DrawnEvent): Rendered[] {
  return draw(cleaned(event));
}

/** All strings on one line each, but `text`, whose lines are cleaned where they are drawn. */
function cleaned<T>(value: T): T {
  const clean = (key: string, each: unknown): unknown =>
    typeof each === "string" && key !== "text" ? sanitizeLine(each) : typeof each === "object" ? cleaned(each) : each;
  if (Array.isArray(value)) return value.map((each) => clean("", each)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, clean(key, each)])) as T;
}

function draw(event: DrawnEvent): Rendered[] {
  switch (event.event) {
    case "signed_in":
      return payload(`${event.user} on ${event.device} at ${event.server}`);
    case "signed_out":
      return note("signed out");
    case "user":
      return payload(
        columns(event.name, event.online ? "online" : "offline", event.trust, event.blocked ? "blocked" : ""),
      );
    case "device":
      return payload(columns(event.id, event.key, event.trust, event.label, event.here ? "(this device)" : ""));
    case "waiting":
      return note("waiting; Ctrl-C ends it");
    case "number":
      return payload(`${event.peer}, device ${event.device}, ${event.trust}:\n${inFives(event.digits)}`);
    case "request":
      return note(`${event.from} ${wish(event)}`);
    case "connected":
      return note(`connected to ${event.peer} ${way(event.path)}`);
    case "path":
      return note(`path to ${event.peer}: ${way(event.kind)}, ${event.remote}${roundTrip(event.rttMs)}; ${event.why}`);
    case "message":
      return sanitizeLines(event.text).map((line) => ({ to: "stdout", text: `${event.from}: ${line}` }));
    case "posted":
      return detail(`on its way to ${event.to}`);
    case "delivered":
      return note(`delivered to ${event.to}`);
    case "read":
      return detail("read");
    case "queued":
      return note(`kept for ${event.to}`);
    case "pong":
      return payload(pong(event));
    case "offer":
      return note(
        `${event.from === undefined ? `offered ${event.to ?? event.peer}` : `${event.from} offers`} ${offer(event)}`,
      );
    case "accepted":
      return note("accepted");
    case "progress":
      return [{ to: "status", text: progress(event) }];
    case "saved":
      return [...endOfProgress(), ...payload(`saved ${event.path} (${formatBytes(event.bytes)})`)];
    case "received":
    case "sent":
      return [...endOfProgress(), ...note(summary(event))];
    case "ready":
    case "invite":
      return payload(event.join);
    case "finding":
      return payload(`${event.level}: ${event.message}; ${event.hint}`);
    case "migrated":
      return [...endOfProgress(), ...payload(migrated(event))];
    case "version":
      return payload(`p2p ${event.version} (${event.commit}, ${event.target}, protocol ${event.protocol})`);
    case "setting":
      return payload(`${event.key} = ${event.value} (${event.from})`);
    case "entry":
      return sanitizeLines(event.text).map((line) => ({ to: "stdout", text: `${event.from}: ${line}` }));
    case "transfer":
      return payload(
        columns(event.id, event.peer, event.state, `${formatBytes(event.bytes)} of ${formatBytes(event.total)}`),
      );
    case "status":
      return payload("fingerprint" in event ? event.fingerprint : statusTable(event));
    case "stats":
      return detail(figuresOfSession(event));
    case "report":
      return payload("peer" in event ? pairTable(event, way(event.path)) : reportTable(event));
    case "closed":
    default:
      return [...endOfProgress(), ...note(ending(event))];
  }
}

function pong({ peer, rttMs, path, remote }: PongEvent): string {
  const where = remote === undefined ? "" : `, ${remote}`;
  return `${peer} answered in ${formatMs(rttMs)}, ${path === "server" ? "over the server" : way(path)}${where}`;
}

function ending({ peer, reason, path, why }: ClosedEvent): string {
  const relayed = why === undefined ? "" : `; it went ${way(path)} because ${why}`;
  return `session with ${peer} ended: ${reason}${relayed}`;
}

function payload(text: string): Rendered[] {
  return [{ to: "stdout", text }];
}

function note(text: string): Rendered[] {
  return [{ to: "stderr", text }];
}

function detail(text: string): Rendered[] {
  return [{ to: "detail", text }];
}

function endOfProgress(): Rendered[] {
  return [{ to: "status", text: "" }];
}

function columns(...cells: readonly string[]): string {
  return cells.filter((cell) => cell !== "").join("  ");
}

function inFives(digits: string): string {
  return digits.replace(/\d{5}(?=\d)/g, "$& ");
}

function wish(event: RequestEvent): string {
  switch (event.purpose) {
    case "chat":
      return event.greeting === undefined ? "wants to chat" : `wants to chat: ${event.greeting}`;
    case "files":
      return `wants to send ${offer({ count: event.count ?? 0, bytes: event.bytes ?? 0, files: event.files ?? [] })}`;
    case "pipe":
      return "wants to open a pipe";
    case "ping":
    default:
      return "pings";
  }
}

const ways: Readonly<Record<PathKind, string>> = {
  lan: "in the local network",
  direct: "directly",
  "port-mapped": "directly, through a mapped port",
  "relay-udp": "over the server's UDP relay",
  "relay-ws": "over the server",
};

/** A path in a few words: `directly`, `over the server`. */
export function way(path: PathKind): string {
  return ways[path];
}

function roundTrip(rttMs: number | null): string {
  return rttMs === null ? "" : `, ${formatMs(rttMs)}`;
}

function offer(summary: OfferSummary): string {
  const names = summary.files.slice(0, 5).map((file) => file.name);
  const more = summary.count > names.length ? [`${summary.count - names.length} more`] : [];
  return `${formatCount(summary.count, "file")}, ${formatBytes(summary.bytes)}: ${[...names, ...more].join(", ")}`;
}

function progress(event: ProgressEvent): string {
  const percent = event.total === 0 ? 100 : Math.min(100, Math.floor((100 * event.bytes) / event.total));
  const left = event.etaSeconds === null ? "" : `, ${formatSeconds(event.etaSeconds)} left`;
  return `${percent}% of ${formatBytes(event.total)}, ${formatBytes(Math.round(event.bytesPerSecond))}/s${left}: ${event.file}`;
}

const limits: Readonly<Record<Exclude<TransferLimit, "too-short">, string>> = {
  "our-disk": "our disk",
  "their-disk": "their disk",
  network: "the network",
  "relay-limit": "the server's relay limit",
  "network-or-their-disk": "the network or their disk",
};

function summary({ event, peer, bytes, seconds, limitedBy }: EndEvent): string {
  const rate = seconds > 0 ? `, ${formatBitRate((8 * bytes) / seconds)}` : "";
  const limit = limitedBy === "too-short" ? "" : `, limited by: ${limits[limitedBy]}`;
  const whom = event === "sent" ? `sent to ${peer} and confirmed` : `received from ${peer}`;
  return `${whom}: ${formatBytes(bytes)} in ${seconds.toFixed(1)} s${rate}${limit}`;
}

const holds: Readonly<Record<StatsEvent["limitedBy"], string>> = {
  application: "nothing to send",
  credit: "their reading",
  buffer: "what is not acknowledged yet",
  window: "the congestion window",
  pacing: "pacing",
  path: "the lack of a path",
};

function figuresOfSession(event: StatsEvent): string {
  const { peer, path, mtuBytes, bytesInFlight, congestionWindowBytes, retransmittedBytes } = event;
  const parts = [
    `out ${formatBytes(event.sendBytesPerSecond)}/s`,
    `in ${formatBytes(event.receiveBytesPerSecond)}/s`,
    ...roundTrips(event),
    `loss ${formatShare(event.packetsLost - event.packetsLostSpuriously, event.packetsSent)}`,
    ...(retransmittedBytes > 0 ? [`${formatBytes(retransmittedBytes)} sent again`] : []),
    ...(bytesInFlight === null
      ? []
      : [`${formatBytes(bytesInFlight)} of ${formatBytes(congestionWindowBytes ?? 0)} in flight`]),
    ...(mtuBytes === null ? [] : [`packets up to ${mtuBytes} bytes`]),
    `${formatCount(event.packetsSent, "packet")} out, ${event.packetsReceived} in`,
    ...(event.rekeys > 0 ? [`new keys ${formatCount(event.rekeys, "time")}`] : []),
    `held by ${holds[event.limitedBy]}`,
  ];
  return `${event.final ? "session" : "stats"} with ${peer} ${way(path)}: ${parts.join(", ")}`;
}

/** `22.1 ms (at least 20.3 ms)`. */
export function roundTrips({ rttMs, minRttMs }: Pick<StatsEvent, "rttMs" | "minRttMs">): string[] {
  if (rttMs === null) return [];
  return [`${formatMs(rttMs)}${minRttMs === null ? "" : ` (at least ${formatMs(minRttMs)})`}`];
}

/** A kind a row: how many, and the beginning of the digest that both stores share. */
function migrated({ from, to, counts, digests, alreadyThere, seconds }: MigratedEvent): string {
  const rows = Object.entries(counts).map(([kind, count]) => [kind, `${count}`, (digests[kind] ?? "").slice(0, 16)]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(([kind = "", count = "", digest = ""]) =>
    [kind.padEnd(widths[0] ?? 0), count.padStart(widths[1] ?? 0), digest].join("  "),
  );
  const earlier = alreadyThere === 0 ? "" : `, ${alreadyThere} of the records by an earlier run`;
  return [`copied in ${seconds.toFixed(1)} s and found the same${earlier}: ${from} → ${to}`, ...lines].join("\n");
}
