// One end of the ceiling: `bun ceiling-end.ts ORDER`. Bare datagrams, each sealed and opened, unpaced and unreliable: what is left when a
// session costs nothing. Prints one JSON of {@link CeilingReport}.
import { SegmentOffload, joinReceived } from "../../../src/modes/runtime/segment-offload.ts";
import { tuneSocket } from "../../../src/modes/runtime/socket-options.ts";
import { bindUdp, sendSome } from "../../../src/modes/runtime/udp-socket.ts";
import { AeadKey } from "../../../src/wire/noise/primitives.ts";
import { cpuSecondsOf } from "../support/process.ts";

export interface CeilingOrder {
  readonly role: "talker" | "listener";
  readonly ip: string;
  readonly remoteIp: string;
  readonly offload: boolean;
  readonly packetBytes: number;
  readonly forMs: number;
}

export interface CeilingReport {
  readonly seconds: number;
  /** Opened, of whole datagrams. */
  readonly bytes: number;
  readonly cpuSeconds: number;
}

const [HEADER_BYTES, TAG_BYTES] = [16, 16];
const PORT = { talker: 40_003, listener: 40_004 };
const order = JSON.parse(process.argv[2] ?? "{}") as CeilingOrder;
const key = new AeadKey(new Uint8Array(32).fill(7));
/** One for all: what it costs is asked here, not what it is worth. */
const nonce = new Uint8Array(12);
let [bytes, startedAt, lastAt, cpuAtStart] = [0, 0, 0, 0];

const socket = await bindUdp(order.ip, PORT[order.role], {
  data: (_, datagram) => receive(datagram),
  drain: () => fill(),
});
const fd = (socket as unknown as { readonly fd: number }).fd;
tuneSocket(fd, 4);
const offload = order.offload ? SegmentOffload.on(fd) : null;
if (order.offload) joinReceived(fd);

const packets = order.offload ? Math.min(64, Math.floor(65_507 / order.packetBytes)) : 32;
const burst = new Uint8Array(packets * order.packetBytes);
const to = { ip: order.remoteIp, port: PORT.listener };
let isFull = false;
if (order.role === "talker") await talk();
else setTimeout(end, order.forMs + 1_000);

async function talk(): Promise<void> {
  await Bun.sleep(300);
  startedAt = performance.now();
  cpuAtStart = cpuSecondsOf(process.pid);
  while (performance.now() < startedAt + order.forMs) {
    for (let turn = 0; turn < 8 && !isFull; turn++) sendBurst();
    // Room comes with the drain, and time with every turn.
    await new Promise((resolve) => setImmediate(resolve));
    isFull = false;
  }
  lastAt = performance.now();
  end();
}

function fill(): void {
  isFull = false;
}

function sendBurst(): void {
  for (let at = 0; at < burst.length; at += order.packetBytes) {
    key.sealInPlace(
      nonce,
      burst.subarray(at, at + HEADER_BYTES),
      burst,
      at + HEADER_BYTES,
      order.packetBytes - HEADER_BYTES - TAG_BYTES,
    );
  }
  for (let at = 0; at < burst.length;) {
    const offloadBytes = offload?.take(burst.length - at, order.packetBytes) ?? 0;
    const sent = sendSome(socket, burst.subarray(at), to, order.packetBytes, offloadBytes);
    if (typeof sent !== "number") return void (isFull = true);
    at += sent * order.packetBytes;
    bytes += sent * order.packetBytes;
  }
}

function receive(buffer: Uint8Array): void {
  if (order.role === "talker") return;
  if (startedAt === 0) {
    startedAt = performance.now();
    cpuAtStart = cpuSecondsOf(process.pid);
  }
  for (let at = 0; at < buffer.length; at += order.packetBytes) {
    const stop = Math.min(at + order.packetBytes, buffer.length);
    key.open(nonce, buffer.subarray(at, at + HEADER_BYTES), buffer, at + HEADER_BYTES, stop);
    bytes += stop - at;
  }
  lastAt = performance.now();
}

function end(): void {
  const report: CeilingReport = {
    seconds: (lastAt - startedAt) / 1_000,
    bytes,
    cpuSeconds: cpuSecondsOf(process.pid) - cpuAtStart,
  };
  void Bun.write(Bun.stdout, `${JSON.stringify(report)}\n`).then(() => process.exit(0));
}
