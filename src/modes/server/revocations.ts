import type { Devices } from "../../store/devices.ts";
import { toHex } from "../../wire/bytes.ts";
import type { Clock } from "./clock.ts";

const POLL_MS = 5_000;
/** Longer than an access token lives. */
const KEPT_MS = 900_000;
/** Asked for again: clocks of nodes may be 5 min apart, while nothing goes from node to node, and a transaction may end late. */
const OVERLAP_MS = 360_000;

export interface RevocationsOptions {
  readonly devices: Devices;
  readonly clock: Clock;
  /** Ends what this device has open here. */
  readonly endDevice: (deviceId: Uint8Array) => void;
  /** Devices were revoked by this node. */
  readonly onNoted: (deviceIds: readonly Uint8Array[]) => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The devices revoked of late, by whatever node: their channels end and their tokens are refused. */
export class Revocations {
  readonly #options: RevocationsOptions;
  /** By device id in hex, Unix ms of when it was heard of; oldest first. */
  readonly #recent = new Map<string, number>();
  #polledAtMs: number;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(options: RevocationsOptions) {
    this.#options = options;
    this.#polledAtMs = options.clock.unixMs() - KEPT_MS;
  }

  has(deviceId: Uint8Array): boolean {
    return this.#recent.has(toHex(deviceId));
  }

  /** The store has them revoked already. */
  note(deviceIds: readonly Uint8Array[]): void {
    this.hear(deviceIds);
    if (deviceIds.length > 0) this.#options.onNoted(deviceIds);
  }

  /** Another node has revoked them. */
  hear(deviceIds: readonly Uint8Array[]): void {
    for (const deviceId of deviceIds) this.#add(deviceId);
  }

  /** Begins to ask the store every 5 s. Resolves after the first time. @throws StoreError */
  async start(): Promise<void> {
    await this.poll();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async poll(): Promise<void> {
    const { devices, clock } = this.#options;
    const nowMs = clock.unixMs();
    const revoked = await devices.revokedSince(Math.max(0, this.#polledAtMs - OVERLAP_MS));
    this.#polledAtMs = nowMs;
    for (const { deviceId } of revoked) this.#add(deviceId);
    for (const [deviceId, atMs] of this.#recent) if (atMs < nowMs - KEPT_MS) this.#recent.delete(deviceId);
  }

  #add(deviceId: Uint8Array): void {
    if (this.has(deviceId)) return;
    this.#recent.set(toHex(deviceId), this.#options.clock.unixMs());
    this.#options.endDevice(deviceId);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(POLL_MS, () => {
      void this.poll()
        .catch(this.#options.onTrouble)
        .finally(() => this.#schedule());
    });
  }
}
