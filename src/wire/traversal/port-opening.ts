import type { UdpAddress } from "../address.ts";
import { MAX_STEP, type Mapping } from "./mapping.ts";
import type { Search } from "./punch-plan.ts";

/** What is to be known of the ports that our NAT opens before the other end can search for them. */
export interface OpeningNeeds {
  /** New sockets, all IPv4. */
  readonly sockets: number;
  /** So many of them ask the server where it sees them. */
  readonly surveyed: number;
}

/** A check of one of our new sockets towards the other end. */
export interface Hole {
  readonly socket: number;
  /** It ends on its way: it opens our NAT, and reaches no other that could take it for its own. */
  readonly isOpener: boolean;
}

interface Shape extends OpeningNeeds {
  /** Between the first checks of two sockets. Milliseconds. */
  readonly gapMs: number;
  /** When checks go out that arrive, in case the openers have not come through all of our own NATs. Counted from the first. Milliseconds. */
  readonly arriveAfterMs: number;
  /** How long the other end may search. Milliseconds. */
  readonly lastsMs: number;
}

const shapes: Readonly<Record<Search, Shape>> = {
  predict: { sockets: 1, surveyed: 1, gapMs: 0, arriveAfterMs: 400, lastsMs: 700 },
  window: { sockets: 16, surveyed: 6, gapMs: 1, arriveAfterMs: 1_500, lastsMs: 4_000 },
  birthday: { sockets: 256, surveyed: 0, gapMs: 4, arriveAfterMs: 5_000, lastsMs: 10_000 },
};
/** The next so many in the row: other programs may have taken some of them meanwhile. */
const PREDICTED_PORTS = 8;

export function openingNeeds(how: Search): OpeningNeeds {
  return shapes[how];
}

/** Sockets of ours that are open towards the other end, for as long as it may search for them. */
export class PortOpening {
  readonly how: Search;
  readonly sockets: readonly number[];
  /** Where the other end is to search: the IP and, but for a birthday, ports. Null when nothing could be learnt of them. */
  readonly seekAt: { readonly ip: string; readonly ports: readonly number[] } | null;
  readonly endsAt: number;
  readonly #holes: readonly (Hole & { readonly at: number })[];
  #next = 0;

  /**
   * @param seen where the server sees the surveyed ones, or for a birthday where it sees us at all
   * @param waits for the other end's ports: no check goes out before they are known, for each would use up a port
   */
  constructor(
    now: number,
    how: Search,
    sockets: readonly number[],
    seen: readonly UdpAddress[],
    { mapping, waits }: { readonly mapping: Mapping; readonly waits: boolean },
  ) {
    const shape = shapes[how];
    this.how = how;
    this.sockets = sockets;
    this.seekAt = seekAt(how, seen, mapping);
    this.endsAt = now + shape.lastsMs;
    const row = (isOpener: boolean, startMs: number) =>
      sockets.map((socket, index) => ({ socket, isOpener, at: now + startMs + index * shape.gapMs }));
    this.#holes = waits ? [] : [...row(true, 0), ...row(false, shape.arriveAfterMs)];
  }

  /** Infinity when there is none left. */
  get dueAt(): number {
    return this.#holes[this.#next]?.at ?? Infinity;
  }

  poll(now: number): Hole | null {
    const hole = this.#holes[this.#next];
    if (hole === undefined || now < hole.at) return null;
    this.#next++;
    return hole;
  }
}

function seekAt(how: Search, seen: readonly UdpAddress[], { step }: Mapping): PortOpening["seekAt"] {
  const last = seen.at(-1);
  if (last === undefined) return null;
  if (how === "birthday") return { ip: last.ip, ports: [] };
  if (how === "window") return { ip: last.ip, ports: seen.map(({ port }) => port) };
  const next = Array.from({ length: PREDICTED_PORTS }, (_, index) => last.port + step * (index + 1));
  return { ip: last.ip, ports: next.filter((port) => port > 0 && port <= 65_535 && Math.abs(step) <= MAX_STEP) };
}
