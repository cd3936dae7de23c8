import type { Frame } from "../messages/session.ts";
import type { SessionCredit } from "./session-credit.ts";
import { type StreamClass, streamClasses } from "./stream-id.ts";
import type { StreamPair } from "./stream-pair.ts";
import type { StreamTable } from "./stream-table.ts";

/** Control frames about streams that are to be sent: credit, resets, stops. They are made when they leave, so that they say what holds then. */
export class StreamFrames {
  readonly #table: StreamTable;
  readonly #credit: SessionCredit;
  readonly #pairs = new Set<StreamPair>();
  readonly #classes = new Set<StreamClass>();

  constructor(table: StreamTable, credit: SessionCredit) {
    this.#table = table;
    this.#credit = credit;
  }

  /** Something about the pair is to be told. */
  add(pair: StreamPair): void {
    this.#pairs.add(pair);
  }

  get isEmpty(): boolean {
    if (this.#credit.isDue || this.#classes.size > 0 || this.#table.classToRaise !== null) return false;
    for (const pair of this.#pairs) if (!this.#table.isHeld(pair)) return false;
    return true;
  }

  /** @returns the next frame, 32 bytes at most; null when there is none */
  take(): Frame | null {
    if (this.#credit.takeDue()) return { kind: "maxSession", bytes: this.#credit.receiveEnd };
    return this.#takeMaxStreams() ?? this.#takePairFrame();
  }

  /** Told again, if it still matters. */
  onLost(frame: Frame): void {
    if (frame.kind === "maxSession") this.#credit.isDue = true;
    if (frame.kind === "maxStreams") this.#classes.add(streamClasses[frame.class] ?? "bulk");
    if (frame.kind !== "maxStream" && frame.kind !== "resetStream" && frame.kind !== "stopSending") return;
    const pair = this.#table.get(frame.stream);
    if (pair === null) return;
    pair.onFrameLost(frame);
    this.#pairs.add(pair);
  }

  #takeMaxStreams(): Frame | null {
    const raised = this.#table.classToRaise;
    if (raised !== null) this.#table.raise(raised);
    const [cls] = raised === null ? this.#classes : [raised];
    if (cls === undefined) return null;
    this.#classes.delete(cls);
    return { kind: "maxStreams", class: streamClasses.indexOf(cls), streams: this.#table.allowed(cls) };
  }

  #takePairFrame(): Frame | null {
    for (const pair of this.#pairs) {
      if (this.#table.isHeld(pair)) continue;
      const frame = pair.takeFrame();
      if (frame !== null) return frame;
      this.#pairs.delete(pair);
    }
    return null;
  }
}
