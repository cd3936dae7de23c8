import type { Frame } from "../messages/session.ts";
import type { ControlQueue } from "./control-queue.ts";
import type { EventQueue } from "./events.ts";

/** Round trips the user asked for: from the ping to the acknowledgement of whichever packet brought it there. */
export class Pings {
  readonly #control: ControlQueue;
  readonly #events: EventQueue;
  readonly #askedAt = new Map<Frame, number>();

  constructor(control: ControlQueue, events: EventQueue) {
    this.#control = control;
    this.#events = events;
  }

  ask(now: number): void {
    const frame: Frame = { kind: "ping" };
    this.#askedAt.set(frame, now);
    this.#control.add(frame);
  }

  onAcked(now: number, frame: Frame): void {
    const askedAt = this.#askedAt.get(frame);
    if (askedAt !== undefined) this.#events.push({ kind: "pong", rttMs: now - askedAt });
    this.#askedAt.delete(frame);
  }
}
