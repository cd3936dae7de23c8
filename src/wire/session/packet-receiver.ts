import { packetNumberAt, packetType, pathIdAt, receiverIndexAt, typeAt } from "../packet/header.ts";
import { BurstSplitter } from "../packet/split.ts";
import type { Indexes } from "./indexes.ts";
import type { Paths } from "./paths.ts";
import type { ReceivePath } from "./receive-path.ts";
import type { ReceivePaths } from "./receive-paths.ts";
import { CHECKS_PATH } from "./path-id.ts";
import type { Rekey } from "./rekey.ts";
import type { RouteState } from "./route-state.ts";
import type { SessionCounters } from "./stats.ts";

/** An authentic packet, for the first time. */
export type OnPacket = (path: ReceivePath, number: number, plaintext: Uint8Array, bytes: number) => void;

/** Takes buffers apart and opens what lies in them; whatever is not a fresh packet of the other end is counted and dropped without a trace. */
export class PacketReceiver {
  readonly #indexes: Indexes;
  readonly #rekey: Rekey;
  readonly #paths: ReceivePaths;
  readonly #counters: SessionCounters;

  readonly #onPacket: OnPacket;
  // Of the buffer being read: a closure for each would be made anew for each datagram.
  #now = 0;
  #key = "";
  #route: RouteState | null = null;

  constructor(indexes: Indexes, rekey: Rekey, paths: ReceivePaths, counters: SessionCounters, onPacket: OnPacket) {
    this.#indexes = indexes;
    this.#rekey = rekey;
    this.#paths = paths;
    this.#counters = counters;
    this.#onPacket = onPacket;
  }

  /** @param key of the route it came on */
  receive(now: number, buffer: Uint8Array, key: string, known: Paths): void {
    this.#now = now;
    this.#key = key;
    this.#route = known.routeOf(key);
    const splitter = this.#route?.splitter ?? new BurstSplitter();
    splitter.split(buffer, this.#open);
  }

  /** In this order: length, index, epoch, fresh; then the tag; and only then anything is remembered. */
  readonly #open = (bytes: Uint8Array, start: number, end: number): boolean => {
    const [now, route] = [this.#now, this.#route];
    if (typeAt(bytes, start, end) !== packetType.sealed) return this.#drop("foreignPackets");
    const index = receiverIndexAt(bytes, start);
    if (!this.#indexes.isLocal(index)) return this.#drop("foreignPackets");
    const pathId = pathIdAt(bytes, start);
    const number = packetNumberAt(bytes, start);
    const known = this.#paths.get(pathId);
    const window = (pathId === CHECKS_PATH ? route?.checks : null) ?? known?.window;
    if (this.#paths.isGone(pathId) || window?.isFresh(number) === false) return this.#drop("repeatedPackets");
    const plaintext = this.#rekey.ring.open(now, bytes, start, end);
    if (plaintext === null) return this.#drop("forgedPackets");
    const path = known ?? this.#paths.open(pathId, this.#key, now);
    if (path.window.isFresh(number)) path.window.mark(number);
    if (pathId === CHECKS_PATH) route?.checks?.mark(number);
    this.#rekey.onOpened(now);
    this.#counters.openedPackets++;
    this.#indexes.onUsed(now, index);
    this.#onPacket(path, number, plaintext, end - start);
    return true;
  };

  #drop(why: "foreignPackets" | "repeatedPackets" | "forgedPackets"): false {
    this.#counters[why]++;
    return false;
  }
}
