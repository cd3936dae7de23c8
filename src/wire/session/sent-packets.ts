import type { Frame } from "../messages/session.ts";

/** Part of a stream, as it went out in one packet. */
export interface StreamChunk {
  readonly stream: number;
  readonly offset: number;
  readonly length: number;
  readonly fin: boolean;
}

/** Told, item by item, what became of the contents of a packet. */
export interface Fate {
  chunk(chunk: StreamChunk): void;
  frame(frame: Frame): void;
  /** The packet acknowledged numbers of this path of the other end, up to this one. */
  ack(path: number, largest: number): void;
}

/** What goes into one packet; made once and used again for every packet. */
export interface PacketContents {
  readonly chunks: StreamChunk[];
  readonly frames: Frame[];
  ackPath: number;
  ackLargest: number;
}

/** Of a packet number. */
export const packetState = { unknown: 0, inFlight: 1, acked: 2, lost: 3, skipped: 4 } as const;

const FIRST_CAPACITY = 256;
/** Beyond this span nothing more is sent until the oldest is settled: 32 MB, and less than the other end's replay window holds. */
const MAX_SPAN = 28_000;

/** Columns of the ring, by `number & mask`. */
function makeColumns(capacity: number) {
  return {
    mask: capacity - 1,
    state: new Uint8Array(capacity),
    sentAtMs: new Float64Array(capacity),
    bytes: new Uint16Array(capacity),
    /** What the delivery-rate sampler noted when the packet went out. */
    delivered: new Float64Array(capacity),
    deliveredAtMs: new Float64Array(capacity),
    firstSentAtMs: new Float64Array(capacity),
    appLimited: new Uint8Array(capacity),
    inFlight: new Float64Array(capacity),
    lost: new Float64Array(capacity),
    stream: new Float64Array(capacity),
    offset: new Float64Array(capacity),
    /** Data bytes of the first chunk, plus 65536 for a fin; −1 for none. */
    chunk: new Int32Array(capacity),
    ackPath: new Int32Array(capacity),
    ackLargest: new Float64Array(capacity),
    more: Array.from<readonly (StreamChunk | Frame)[] | null>({ length: capacity }).fill(null),
  };
}

export type SentColumns = ReturnType<typeof makeColumns>;
const FIN = 0x1_0000;

/** The ack-eliciting packets of one path that may still be acknowledged, as a ring by packet number. */
export class SentPackets {
  columns: SentColumns = makeColumns(FIRST_CAPACITY);
  /** The lowest number still remembered. */
  oldest = 0;
  /** Everything below it is settled. */
  oldestInFlight = 0;
  /** What the next packet gets. */
  next = 0;
  bytesInFlight = 0;
  packetsInFlight = 0;

  /** How many more may be under way. */
  get room(): number {
    return MAX_SPAN - (this.next - this.oldest);
  }

  get isFull(): boolean {
    return this.room <= 0;
  }

  /** Takes `next` for a packet that asks for an acknowledgement. */
  add(now: number, bytes: number, contents: PacketContents): number {
    const number = this.next;
    const slot = this.#claim(packetState.inFlight);
    const columns = this.columns;
    columns.sentAtMs[slot] = now;
    columns.bytes[slot] = bytes;
    columns.ackPath[slot] = contents.ackPath;
    columns.ackLargest[slot] = contents.ackLargest;
    const [first] = contents.chunks;
    columns.chunk[slot] = first === undefined ? -1 : first.length + (first.fin ? FIN : 0);
    columns.stream[slot] = first?.stream ?? 0;
    columns.offset[slot] = first?.offset ?? 0;
    columns.more[slot] = moreOf(contents);
    this.bytesInFlight += bytes;
    this.packetsInFlight++;
    return number;
  }

  /** Takes `next` for a packet that asks for none, or `skipped` for none at all: an ack of that is a lie. */
  pass(state: typeof packetState.unknown | typeof packetState.skipped): number {
    const number = this.next;
    this.#claim(state);
    if (this.packetsInFlight === 0 && state === packetState.unknown) this.oldest = this.oldestInFlight = this.next;
    return number;
  }

  stateOf(number: number): number {
    return number < this.oldest || number >= this.next ? packetState.unknown : this.#column("state", number);
  }

  sentAtMs(number: number): number {
    return this.#column("sentAtMs", number);
  }

  /** In flight → acked or lost; lost → acked. What was in it stays until {@link forget}. */
  settle(number: number, state: typeof packetState.acked | typeof packetState.lost): void {
    const slot = number & this.columns.mask;
    if (this.columns.state[slot] === packetState.inFlight) {
      this.bytesInFlight -= this.columns.bytes[slot] ?? 0;
      this.packetsInFlight--;
    }
    this.columns.state[slot] = state;
  }

  report(number: number, fate: Fate): void {
    const { columns } = this;
    const slot = number & columns.mask;
    const chunk = columns.chunk[slot] ?? -1;
    if (chunk >= 0)
      fate.chunk({
        stream: columns.stream[slot] ?? 0,
        offset: columns.offset[slot] ?? 0,
        length: chunk % FIN,
        fin: chunk >= FIN,
      });
    const more = columns.more[slot] ?? null;
    if (more !== null) reportEach(more, fate);
    const ackPath = columns.ackPath[slot] ?? -1;
    if (ackPath >= 0) fate.ack(ackPath, columns.ackLargest[slot] ?? 0);
  }

  /** Moves on past what is settled; numbers from `keep` on are remembered all the same. */
  forget(keep: number): void {
    const { columns } = this;
    while (this.oldestInFlight < this.next && this.stateOf(this.oldestInFlight) !== packetState.inFlight)
      this.oldestInFlight++;
    const end = Math.min(keep, this.oldestInFlight);
    for (; this.oldest < end; this.oldest++) columns.more[this.oldest & columns.mask] = null;
  }

  #column(name: "state" | "sentAtMs", number: number): number {
    return this.columns[name][number & this.columns.mask] ?? 0;
  }

  #claim(state: number): number {
    if (this.next - this.oldest > this.columns.mask) this.#grow();
    const slot = this.next++ & this.columns.mask;
    this.columns.state[slot] = state;
    return slot;
  }

  #grow(): void {
    const from = this.columns;
    const to = makeColumns(2 * (from.mask + 1));
    for (let number = this.oldest; number < this.next; number++)
      copySlot(from, number & from.mask, to, number & to.mask);
    this.columns = to;
  }
}

/** What has no column: a packet of bulk has nothing of the kind. */
function moreOf({ chunks, frames }: PacketContents): readonly (StreamChunk | Frame)[] | null {
  return chunks.length <= 1 && frames.length === 0 ? null : [...chunks.slice(1), ...frames];
}

function reportEach(items: readonly (StreamChunk | Frame)[], fate: Fate): void {
  for (const item of items) {
    if ("kind" in item) fate.frame(item);
    else fate.chunk(item);
  }
}

function copySlot(from: SentColumns, at: number, to: SentColumns, slot: number): void {
  to.state[slot] = from.state[at] ?? 0;
  to.sentAtMs[slot] = from.sentAtMs[at] ?? 0;
  to.bytes[slot] = from.bytes[at] ?? 0;
  to.delivered[slot] = from.delivered[at] ?? 0;
  to.deliveredAtMs[slot] = from.deliveredAtMs[at] ?? 0;
  to.firstSentAtMs[slot] = from.firstSentAtMs[at] ?? 0;
  to.appLimited[slot] = from.appLimited[at] ?? 0;
  to.inFlight[slot] = from.inFlight[at] ?? 0;
  to.lost[slot] = from.lost[at] ?? 0;
  to.stream[slot] = from.stream[at] ?? 0;
  to.offset[slot] = from.offset[at] ?? 0;
  to.chunk[slot] = from.chunk[at] ?? -1;
  to.ackPath[slot] = from.ackPath[at] ?? -1;
  to.ackLargest[slot] = from.ackLargest[at] ?? 0;
  to.more[slot] = from.more[at] ?? null;
}
