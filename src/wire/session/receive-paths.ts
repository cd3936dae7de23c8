import { CHECKS_PATH, RELAY_PATH } from "./path-id.ts";
import { ReceivePath } from "./receive-path.ts";

/** Of the other end's paths beside the fixed ones. The one that was silent for longest goes first. */
const MAX_FURTHER_PATHS = 16;

/** The paths the other end sends on. An id that is gone is refused for good, or its packets could be replayed. */
export class ReceivePaths {
  readonly #live = new Map<number, ReceivePath>();
  /** One bit per id. */
  readonly #gone = new Uint8Array(2 ** 13);

  get(id: number): ReceivePath | null {
    return this.#live.get(id) ?? null;
  }

  isGone(id: number): boolean {
    return ((this.#gone[id >> 3] ?? 0) & (1 << (id & 7))) !== 0;
  }

  /** Only for a packet that was authentic. */
  open(id: number, routeKey: string, now: number): ReceivePath {
    const path = new ReceivePath(id, routeKey, now);
    this.#live.set(id, path);
    this.#dropSilent();
    return path;
  }

  values(): Iterable<ReceivePath> {
    return this.#live.values();
  }

  /** A buffer has been read. */
  onBurstEnd(now: number): void {
    for (const path of this.#live.values()) path.onBurstEnd(now);
  }

  #dropSilent(): void {
    const further = [...this.#live.values()].filter((path) => path.id > RELAY_PATH);
    if (further.length <= MAX_FURTHER_PATHS) return;
    const silent = further.reduce((a, b) => (b.lastAtMs < a.lastAtMs ? b : a));
    this.#live.delete(silent.id);
    this.#gone[silent.id >> 3] = (this.#gone[silent.id >> 3] ?? 0) | (1 << (silent.id & 7));
  }
}

/** Packets of it are not acknowledged. */
export function isAcknowledged(pathId: number): boolean {
  return pathId !== CHECKS_PATH;
}
