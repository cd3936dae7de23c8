import type { UdpAddress } from "../address.ts";
import type { Mapping } from "./mapping.ts";
import { type Hole, openingNeeds, PortOpening } from "./port-opening.ts";
import type { Search } from "./punch-plan.ts";

/** Rounds of opening sockets of ours for one search by the other end: of foretold ports several, since a port may have gone to another program. */
const ROUNDS: Readonly<Record<Search, number>> = { predict: 3, window: 1, birthday: 1 };

/** One series of openings: sockets are wanted, opened, searched for, and let go, round by round. */
export class OwnSeries {
  readonly how: Search;
  #round: number;
  #roundsLeft: number;
  #opening: PortOpening | null = null;

  /** @param round number of the first; they rise over all series of a session */
  constructor(how: Search, round: number) {
    this.how = how;
    this.#round = round;
    this.#roundsLeft = ROUNDS[how] - 1;
  }

  get round(): number {
    return this.#round;
  }

  get needs(): { readonly sockets: number; readonly surveyed: number } {
    return openingNeeds(this.how);
  }

  /** What it comes to at most: an opener and a check that arrives from each socket. */
  get checks(): number {
    return 2 * this.needs.sockets * ROUNDS[this.how];
  }

  get opening(): PortOpening | null {
    return this.#opening;
  }

  /** @returns null when nothing could be learnt of their ports: the round is over */
  open(
    now: number,
    sockets: readonly number[],
    seen: readonly UdpAddress[],
    mapping: Mapping,
    waits: boolean,
  ): PortOpening["seekAt"] {
    this.#opening = new PortOpening(now, this.how, sockets, seen, { mapping, waits });
    return this.#opening.seekAt;
  }

  poll(now: number): Hole | null {
    return this.#opening?.poll(now) ?? null;
  }

  /** The next hole, or the end of the round; Infinity while sockets are being opened. */
  get dueAt(): number {
    return this.#opening === null ? Infinity : Math.min(this.#opening.dueAt, this.#opening.endsAt);
  }

  isRoundOver(now: number): boolean {
    return this.#opening !== null && now >= this.#opening.endsAt;
  }

  /** @param round the other end is that far, or left out: the next. @returns whether there is one more round */
  next(round = this.#round + 1): boolean {
    this.#opening = null;
    this.#round = round;
    return this.#roundsLeft-- > 0;
  }
}
