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

  constructor(indexes: Indexes, rekey: Rekey, paths: ReceivePaths, counters: SessionCounters) {
    this.#indexes = indexes;
    this.#rekey = rekey;
    this.#paths = paths;
    this.#counters = counters;
  }

  /** @param key of the route it came on */
  receive(now: number, buffer: Uint8Array, key: string, known: Paths, onPacket: OnPacket): void {
    const route = known.routeOf(key);
    const splitter = route?.splitter ?? new BurstSplitter();
    splitter.split(buffer, (bytes, start, end) => this.#open(now, bytes, start, end, key, route, onPacket));
  }

  /** In this order: length, index, epoch, fresh; then the tag; and only then anything is remembered. */
  #open(
    now: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    key: string,
    route: RouteState | null,
    onPacket: OnPacket,
  ): boolean {
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
    onPacket(path, number, plaintext, end - start);
    return true;
  }

  #drop(why: "foreignPackets" | "repeatedPackets" | "forgedPackets"): false {
    this.#counters[why]++;
    return false;
  }
}
