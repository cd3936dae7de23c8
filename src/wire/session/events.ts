import type { ErrorCode } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import type { UdpAddress } from "../address.ts";
import type { Route } from "./route.ts";
import type { StreamClass } from "./stream-id.ts";

/** Frames that the session only carries: reliable, in no order, and now and then twice. */
export type CarriedFrame = Extract<
  Frame,
  { kind: "candidate" | "candidatesEnd" | "abilities" | "mapping" | "seekMe" | "report" }
>;

export type SessionEvent =
  /** The first packet of the other end was opened: it has the keys. */
  | { readonly kind: "established" }
  | { readonly kind: "stream-opened"; readonly stream: number; readonly class: StreamClass }
  /** Read until null; it comes again only after that. */
  | { readonly kind: "stream-readable"; readonly stream: number }
  /** After a write that was cut short. */
  | { readonly kind: "stream-writable"; readonly stream: number }
  /** The other end's last byte was read. */
  | { readonly kind: "stream-finished"; readonly stream: number }
  /** The other end gave up what it was saying. */
  | { readonly kind: "stream-reset"; readonly stream: number; readonly code: number }
  /** The other end does not want to hear more; what we were saying is reset. */
  | { readonly kind: "stream-stopped"; readonly stream: number; readonly code: number }
  /** All that was written so far is acknowledged; `finished`: and so is the end. */
  | { readonly kind: "stream-acked"; readonly stream: number; readonly finished: boolean }
  | { readonly kind: "datagram"; readonly bytes: Uint8Array }
  | { readonly kind: "frame"; readonly frame: CarriedFrame }
  /** An authentic packet came from a route not known before. */
  | { readonly kind: "route-seen"; readonly route: Route }
  /** The other end answered on the route; `observed` is where it saw our challenge come from, null on the server's. */
  | {
      readonly kind: "route-validated";
      readonly route: Route;
      readonly rttMs: number;
      readonly observed: UdpAddress | null;
    }
  | { readonly kind: "route-lost"; readonly route: Route; readonly why: string }
  | { readonly kind: "path-selected"; readonly route: Route; readonly rttMs: number | null; readonly why: string }
  /** Receiver indexes by which packets for this session are told; the first one is the creator's to register. */
  | { readonly kind: "indexes"; readonly add: readonly number[]; readonly retire: readonly number[] }
  | { readonly kind: "pong"; readonly rttMs: number }
  | { readonly kind: "closed"; readonly code: ErrorCode; readonly reason: string; readonly remote: boolean };

/** What the parts of a session tell the world, in order. */
export class EventQueue {
  #events: SessionEvent[] = [];

  push(event: SessionEvent): void {
    this.#events.push(event);
  }

  shift(): SessionEvent | null {
    return this.#events.shift() ?? null;
  }
}
