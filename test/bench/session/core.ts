import type { CongestionController } from "../../../src/wire/congestion/controller.ts";
import { AeadKey } from "../../../src/wire/noise/primitives.ts";
import type { Route } from "../../../src/wire/session/route.ts";
import { Session } from "../../../src/wire/session/session.ts";
import { SimNetwork } from "../../sim/network.ts";
import { sessionOptions } from "../../sim/pair.ts";
import { row } from "../support/figures.ts";

const FROM_A: Route = { kind: "udp", socket: 0, remote: { ip: "198.51.100.1", port: 4_001 } };
const FROM_B: Route = { kind: "udp", socket: 0, remote: { ip: "203.0.113.1", port: 5_001 } };
const CHUNK = new Uint8Array(1_048_576).map((_, index) => index * 31);
const ROUNDS = 5;

/** A line without an end: what is left is what the session itself costs. */
const unlimited = (): CongestionController => ({
  name: "unlimited",
  windowBytes: 4 * 1_048_576,
  pacingBytesPerMs: 1e6,
  onAck: () => undefined,
  onLost: () => undefined,
});

/** `core [MIB]`: two sessions in one process, without sockets, beside the seals and opens that their packets need. */
export async function bench([mebibytes = "256"]: readonly string[]): Promise<void> {
  const bytes = Number(mebibytes) * 1_048_576;
  for (let round = 0; round < ROUNDS; round++) {
    const { seconds, packets } = transfer(bytes);
    const crypto = cryptoSeconds(packets);
    const [micros, floor] = [(seconds / packets) * 1e6, (crypto / packets) * 1e6];
    row(
      `round ${round + 1}: both ends, for one packet`,
      `${micros.toFixed(2)} µs, of these ${floor.toFixed(2)} µs crypto`,
      { must: "2.5 × crypto" },
    );
    row("  as a rate, both ends on one core", `${((bytes * 8) / seconds / 1e9).toFixed(2)} Gbit/s`);
  }
}

function transfer(bytes: number): { seconds: number; packets: number } {
  const [optionsA, optionsB] = sessionOptions(new SimNetwork(1), {
    congestion: unlimited,
    // Packets of the length that the crypto beside them is measured with.
    isUnfragmented: () => false,
    now: 0,
  });
  const [a, b] = [new Session(optionsA), new Session(optionsB)];
  const clock = { now: 0 };
  open(a, b, clock);
  const stream = a.openStream("bulk");
  let [written, read] = [0, 0];
  const start = performance.now();
  const before = a.stats();
  while (read < bytes) {
    if (written < bytes)
      written += a.write(clock.now, stream, CHUNK.subarray(0, Math.min(CHUNK.length, bytes - written)));
    const moved = carry(a, b, FROM_B, clock.now) + carry(b, a, FROM_A, clock.now);
    for (let event = b.pollEvent(); event !== null; event = b.pollEvent())
      if (event.kind === "stream-readable")
        for (let part = b.read(event.stream); part !== null; part = b.read(event.stream)) {
          read += part.length;
          b.consumed(clock.now, event.stream, part.length);
        }
    while (a.pollEvent() !== null);
    clock.now += moved === 0 ? 1 : 0.05;
    a.handleTimeout(clock.now);
    b.handleTimeout(clock.now);
  }
  const seconds = (performance.now() - start) / 1_000;
  return { seconds, packets: sentPackets(a) - (before.paths[0]?.sentPackets ?? 0) };
}

function sentPackets(session: Session): number {
  return session.stats().paths.reduce((sum, path) => sum + path.sentPackets, 0);
}

function open(a: Session, b: Session, clock: { now: number }): void {
  for (let turn = 0; turn < 50; turn++) {
    a.probe(clock.now, FROM_A, 0);
    b.probe(clock.now, FROM_B, 0);
    carry(a, b, FROM_B, clock.now);
    carry(b, a, FROM_A, clock.now);
    carry(a, b, FROM_B, clock.now);
    while (a.pollEvent() !== null);
    while (b.pollEvent() !== null);
    clock.now += 20;
  }
}

/** @returns how many bursts */
function carry(from: Session, to: Session, as: Route, now: number): number {
  let count = 0;
  for (let transmit = from.pollTransmit(now); transmit !== null; transmit = from.pollTransmit(now)) {
    to.handleDatagram(now, transmit.bytes, as);
    count++;
  }
  return count;
}

/** What sealing and opening so many packets takes when nothing else is done. */
function cryptoSeconds(packets: number): number {
  const key = new AeadKey(new Uint8Array(32).fill(7));
  const [nonce, header, packet] = [new Uint8Array(12), new Uint8Array(16), new Uint8Array(1_200)];
  const start = performance.now();
  for (let index = 0; index < packets; index++) {
    nonce[11] = index;
    key.sealInPlace(nonce, header, packet, 16, 1_168);
    key.open(nonce, header, packet, 16, 1_200);
  }
  return (performance.now() - start) / 1_000;
}
