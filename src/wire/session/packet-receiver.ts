import { packetNumberAt, packetType, pathIdAt, receiverIndexAt, typeAt } from "../packet/header.ts";
import { BurstSplitter } from "../packet/split.ts";
import type { Indexes } from "./indexes.ts";
import type { Paths } from "./paths.ts";
import type { ReceivePath } from "./receive-path.ts";
import type { ReceivePaths } from "./receive-paths.ts";
import { CHECKS_PATH } from "./path-id.ts";
import type { Rekey } from "./rekey.ts";
import { type Route, SERVER_ROUTE } from "./route.ts";
import type { RouteState } from "./route-state.ts";
import type { SessionCounters } from "./stats.ts";

/** A buffer that came: when, and on which route. */
export interface Arrival {
  readonly now: number;
  readonly from: Route;
  readonly key: string;
}

/** An authentic packet, for the first time. */
export type OnPacket = (
  arrival: Arrival,
  path: ReceivePath,
  number: number,
  plaintext: Uint8Array,
  bytes: number,
) => void;

/** Takes buffers apart and opens what lies in them; whatever is not a fresh packet of the other end is counted and dropped without a trace. */
export class PacketReceiver {
  readonly #indexes: Indexes;
  readonly #rekey: Rekey;
  readonly #paths: ReceivePaths;
  readonly #counters: SessionCounters;

  readonly #onPacket: OnPacket;
  /** Of the buffer being read: a closure over it would be made anew for each. */
  #arrival: Arrival = { now: 0, from: SERVER_ROUTE, key: "" };
  #route: RouteState | null = null;

  constructor(indexes: Indexes, rekey: Rekey, paths: ReceivePaths, counters: SessionCounters, onPacket: OnPacket) {
    this.#indexes = indexes;
    this.#rekey = rekey;
    this.#paths = paths;
    this.#counters = counters;
    this.#onPacket = onPacket;
  }

  receive(arrival: Arrival, buffer: Uint8Array, known: Paths): void {
    this.#arrival = arrival;
    this.#route = known.routeOf(arrival.key);
    const splitter = this.#route?.splitter ?? new BurstSplitter();
    splitter.split(buffer, this.#open);
  }

  /** In this order: length, index, epoch, fresh; then the tag; and only then anything is remembered. */
  readonly #open = (bytes: Uint8Array, start: number, end: number): boolean => {
    const route = this.#route;
    const { now, key } = this.#arrival;
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
    const path = known ?? this.#paths.open(pathId, key, now);
    if (path.window.isFresh(number)) path.window.mark(number);
    if (pathId === CHECKS_PATH) route?.checks?.mark(number);
    this.#rekey.onOpened(now);
    this.#counters.openedPackets++;
    this.#indexes.onUsed(now, index);
    this.#onPacket(this.#arrival, path, number, plaintext, end - start);
    return true;
  };

  #drop(why: "foreignPackets" | "repeatedPackets" | "forgedPackets"): false {
    this.#counters[why]++;
    return false;
  }
}
