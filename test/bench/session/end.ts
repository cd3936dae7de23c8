// One end of a bare session over real UDP: `bun end.ts ORDER`, a JSON of {@link EndOrder}; prints one JSON of {@link EndReport}.
import { Drive } from "../../../src/modes/runtime/driver.ts";
import { UdpPort } from "../../../src/modes/runtime/udp-port.ts";
import type { SessionEvent } from "../../../src/wire/session/events.ts";
import type { Route, UdpRoute } from "../../../src/wire/session/route.ts";
import { Session } from "../../../src/wire/session/session.ts";
import type { SessionStats } from "../../../src/wire/session/stats.ts";
import { CHAT_STREAM } from "../../../src/wire/session/stream-id.ts";
import { SimNetwork } from "../../sim/network.ts";
import { sessionOptions } from "../../sim/pair.ts";
import { cpuSecondsOf } from "../support/process.ts";

export interface EndOrder {
  readonly role: "talker" | "listener";
  readonly ip: string;
  readonly remoteIp: string;
  /** Whether the kernel cuts and joins bursts. */
  readonly offload: boolean;
  /** The talker writes for so long, or so much, whichever ends first; 0: no bulk at all. */
  readonly bulkMs: number;
  readonly bulkBytes: number;
  /** Messages of 64 bytes that are answered with as much, one after the other, so many … */
  readonly echoes: number;
  /** … with a pause in between. Milliseconds. */
  readonly echoGapMs: number;
}

export interface EndReport {
  /** From the first write to the acknowledgement of the last byte. */
  readonly seconds: number;
  readonly bytes: number;
  /** Of that time. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** Milliseconds. */
  readonly roundTrips: readonly number[];
  readonly stats: SessionStats;
}

const PORT = { talker: 40_001, listener: 40_002 };
const CHUNK = new Uint8Array(262_144).map((_, index) => index * 31);
const LINE = new Uint8Array(64).fill(0x2e);
const PROBE_EVERY_MS = 20;
/** The path's length is known by then, and programs are compiled: people do not begin with the first byte either. */
const SETTLE_MS = 300;

const order = JSON.parse(process.argv[2] ?? "{}") as EndOrder;
const isTalker = order.role === "talker";
const remote = { ip: order.remoteIp, port: PORT[isTalker ? "listener" : "talker"] };
const route: UdpRoute = { kind: "udp", socket: 0, remote };

const [asTalker, asListener] = sessionOptions(new SimNetwork(1), {
  now: performance.now(),
  isUnfragmented: () => port.isUnfragmented,
});
const session = new Session(isTalker ? asTalker : asListener);
const fail = (error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
};

const port = await UdpPort.open({
  ip: order.ip,
  port: PORT[order.role],
  offload: order.offload,
  onDatagram: (datagram, from) => drive.handleDatagram(datagram, { kind: "udp", socket: 0, remote: from }),
  onDrain: () => drive.drained(),
  onTooLong: (to, bytes) => session.refused(performance.now(), { kind: "udp", socket: 0, remote: to }, bytes),
  onFault: fail,
});
const drive: Drive<SessionEvent, Route> = new Drive<SessionEvent, Route>(session, {
  send: ({ bytes, to, segmentBytes }) => to.kind !== "udp" || port.send(bytes, to.remote, segmentBytes),
  onEvent: handle,
  onFault: fail,
});

const isOpen = Promise.withResolvers<void>();
const isDone = Promise.withResolvers<void>();
let onWritable = () => {};
let onEcho = () => {};
let onFinished = () => {};
const trips: number[] = [];
/** Written by the talker, read by the listener: `bulkBytes`. */
let [echoedBytes, bulkBytes, cpuAtStart, startedAt, endedAt] = [0, 0, 0, 0, 0];

const probing = setInterval(() => {
  session.probe(performance.now(), route, 0);
  drive.wake();
}, PROBE_EVERY_MS);
await isOpen.promise;
clearInterval(probing);
if (isTalker) await talk();
else await isDone.promise;
report();

async function talk(): Promise<void> {
  await Bun.sleep(SETTLE_MS);
  begin();
  const bulk = order.bulkBytes > 0 ? writeBulk() : null;
  const roundTrips = await echo();
  await bulk;
  endedAt = performance.now();
  trips.push(...roundTrips);
  session.close(performance.now(), "peer-gone", "finished");
  drive.flush();
}

function begin(): void {
  if (startedAt > 0) return;
  startedAt = performance.now();
  cpuAtStart = cpuSecondsOf(process.pid);
}

/** Resolves when the last byte is acknowledged. */
async function writeBulk(): Promise<void> {
  const stream = session.openStream("bulk");
  const until = performance.now() + order.bulkMs;
  const finished = Promise.withResolvers<void>();
  onFinished = finished.resolve;
  onWritable = () => {
    for (;;) {
      const left = performance.now() < until ? order.bulkBytes - bulkBytes : 0;
      if (left <= 0) break;
      const part = CHUNK.subarray(0, Math.min(CHUNK.length, left));
      const taken = session.write(performance.now(), stream, part);
      bulkBytes += taken;
      if (taken < part.length) return drive.wake();
    }
    onWritable = () => {};
    session.finish(performance.now(), stream);
    drive.wake();
  };
  onWritable();
  await finished.promise;
}

async function echo(): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < order.echoes; turn++) {
    if (order.echoGapMs > 0) await Bun.sleep(order.echoGapMs);
    const start = performance.now();
    const echoed = Promise.withResolvers<void>();
    onEcho = echoed.resolve;
    session.write(start, CHAT_STREAM, LINE);
    drive.flush();
    await echoed.promise;
    times.push(performance.now() - start);
  }
  return times;
}

function handle(event: SessionEvent): void {
  switch (event.kind) {
    case "path-selected":
      return isOpen.resolve();
    case "stream-writable":
      return onWritable();
    case "stream-acked":
      return event.finished ? onFinished() : undefined;
    case "stream-readable":
      return read(event.stream);
    case "stream-finished":
      endedAt = performance.now();
      return;
    case "closed":
      return isDone.resolve();
    default:
      return undefined;
  }
}

function read(stream: number): void {
  for (let part = session.read(stream); part !== null; part = session.read(stream)) {
    begin();
    session.consumed(performance.now(), stream, part.length);
    if (stream === CHAT_STREAM) heard(part);
    else bulkBytes += part.length;
  }
  drive.wake();
}

function heard(part: Uint8Array): void {
  if (!isTalker) session.write(performance.now(), CHAT_STREAM, part);
  else if ((echoedBytes += part.length) % LINE.length === 0) onEcho();
}

function report(): void {
  const said: EndReport = {
    seconds: (endedAt - startedAt) / 1_000,
    bytes: bulkBytes,
    cpuSeconds: cpuSecondsOf(process.pid) - cpuAtStart,
    peakBytes: process.resourceUsage().maxRSS * (process.platform === "linux" ? 1_024 : 1),
    roundTrips: trips,
    stats: session.stats(performance.now()),
  };
  void Bun.write(Bun.stdout, `${JSON.stringify(said)}\n`).then(() => process.exit(0));
}
