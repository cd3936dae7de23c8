import type { Core, Transmit } from "../../wire/core.ts";
import { systemClock, type Clock } from "./clock.ts";

export interface DriveOptions<Event, To> {
  /** False when it was taken but no more should come before {@link Drive.drained}. Must not throw. */
  readonly send: (transmit: Transmit<To>) => boolean;
  readonly onEvent: (event: Event) => void;
  /** What `onEvent` or the core threw: a defect of ours. The drive goes on. */
  readonly onFault: (error: unknown) => void;
  readonly clock?: Clock;
  /** Ends the drive when aborted. */
  readonly signal?: AbortSignal;
}

/** After a throw in a timer, so that a defect cannot spin. Milliseconds. */
const FAULT_PAUSE_MS = 100;
/** A deadline may stand for what cannot leave, and must not spin either. Milliseconds. */
const NO_ROOM_PAUSE_MS = 5;
/**
 * A turn of the event loop lasts as long as datagrams wait, and under a flood that is long. What came is answered after so much at the
 * latest, or else the sender hears of it in great lumps and takes these for the nature of the path. Bytes.
 */
const FLUSH_BYTES = 262_144;

/**
 * Runs a core: hands it datagrams and time, carries out what it decides, and owns its only timer. Everything that happens in one turn
 * of the event loop is flushed together at its end, so that a batch of datagrams is answered with one acknowledgement.
 */
export class Drive<Event, To> {
  readonly #core: Core<Event, To>;
  readonly #options: DriveOptions<Event, To>;
  readonly #clock: Clock;
  #cancelTimer = () => {};
  #cancelFlush: (() => void) | null = null;
  #pauseUntil = 0;
  #hasRoom = true;
  #unansweredBytes = 0;
  #stopped = false;

  constructor(core: Core<Event, To>, options: DriveOptions<Event, To>) {
    this.#core = core;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    if (options.signal?.aborted === true) this.stop();
    else options.signal?.addEventListener("abort", () => this.stop(), { once: true });
    this.wake();
  }

  now(): number {
    return this.#clock.now();
  }

  handleDatagram(datagram: Uint8Array, from: To): void {
    if (this.#stopped) return;
    this.#guard(() => this.#core.handleDatagram(this.now(), datagram, from));
    this.#unansweredBytes += datagram.length;
    if (this.#unansweredBytes >= FLUSH_BYTES) this.flush();
    else this.wake();
  }

  /** After every command to the core. */
  wake(): void {
    if (!this.#stopped && this.#cancelFlush === null) this.#soon(() => this.#turn());
  }

  /** `send` may go on. */
  drained(): void {
    this.#hasRoom = true;
    this.wake();
  }

  /** At once, for the last words before {@link stop}. */
  flush(): void {
    if (this.#stopped) return;
    this.#unansweredBytes = 0;
    const quiet = this.#guard(() => {
      this.#deliverEvents();
      while (this.#sendSome()) this.#deliverEvents();
    });
    if (!quiet) this.#pauseUntil = this.now() + FAULT_PAUSE_MS;
    this.#setTimer();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#cancelFlush?.();
  }

  /** In place of what was to come: a handler may have woken the drive that tells it. */
  #soon(run: () => void): void {
    this.#cancelFlush?.();
    this.#cancelFlush = this.#clock.soon(() => {
      this.#cancelFlush = null;
      run();
    });
  }

  /** Who was told something may answer as soon as promises have settled: then the answer and the ack of what it answers leave as one. */
  #turn(): void {
    let told = false;
    this.#guard(() => void (told = this.#deliverEvents()));
    if (told && !this.#stopped) this.#soon(() => this.flush());
    else this.flush();
  }

  /** @returns whether there were any */
  #deliverEvents(): boolean {
    for (let told = false; !this.#stopped; told = true) {
      const event = this.#core.pollEvent();
      if (event === null) return told;
      this.#guard(() => this.#options.onEvent(event));
    }
    return true;
  }

  /** @returns whether anything was sent and all of it taken */
  #sendSome(): boolean {
    let sent = false;
    for (let out = this.#next(); out !== null; out = this.#next()) {
      this.#hasRoom = this.#options.send(out);
      if (!this.#hasRoom) return false;
      sent = true;
    }
    return sent;
  }

  #next(): Transmit<To> | null {
    return this.#stopped || !this.#hasRoom ? null : this.#core.pollTransmit(this.now());
  }

  #setTimer(): void {
    this.#cancelTimer();
    const at = this.#stopped ? null : this.#core.pollTimeout();
    if (at === null) return;
    const roomAt = this.#hasRoom ? 0 : this.now() + NO_ROOM_PAUSE_MS;
    this.#cancelTimer = this.#clock.after(Math.max(at, this.#pauseUntil, roomAt) - this.now(), () => {
      if (!this.#guard(() => this.#core.handleTimeout(this.now()))) this.#pauseUntil = this.now() + FAULT_PAUSE_MS;
      this.flush();
    });
  }

  #guard(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.#options.onFault(error);
      return false;
    }
  }
}
