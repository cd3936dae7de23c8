import type { UdpAddress } from "../../wire/address.ts";
import type { CarriedFrame } from "../../wire/session/events.ts";
import { candidateFromFields } from "../../wire/traversal/candidate.ts";
import { mappingKinds } from "../../wire/traversal/mapping.ts";
import { TheirStanding } from "../../wire/traversal/standing.ts";
import type { Standing } from "../../wire/traversal/verdict.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type Reason, type SearchStage, theyAreAway, whyRelayed } from "./path-reasons.ts";

/** By then an end has told its addresses, and a router has answered or not. Milliseconds. */
const KNOWN_AFTER_MS = 1_500;
/** By then all that is tried at first has come to something or nothing. Milliseconds. */
const TRIED_AFTER_MS = 10_000;

export interface PathOutlookOptions {
  /** How this end stands, as far as is known by now. */
  readonly own: () => Standing;
  /** Why there is no direct path; null while one is looked for. Called when that changes. May not throw. */
  readonly onReason: (reason: Reason | null) => void;
  readonly clock?: Clock;
}

/** Knows of one session why it goes over the server: from what both ends are, and from how long it was tried. */
export class PathOutlook {
  readonly #options: Required<PathOutlookOptions>;
  readonly #theirs = new TheirStanding();
  #reason: Reason | null = null;
  #isDirect = false;
  #isAway = false;
  #stage: SearchStage = "begun";
  #callOff: () => void = () => undefined;

  constructor(options: PathOutlookOptions) {
    this.#options = { clock: systemClock, ...options };
    this.restart();
  }

  get theirs(): Standing {
    return this.#theirs.now;
  }

  /** As it would be if nothing more came of it. */
  get reasonByNow(): Reason | null {
    return whyRelayed(this.#options.own(), this.#theirs.now, "tried");
  }

  heard(frame: CarriedFrame): void {
    if (frame.kind === "candidate") {
      const candidate = candidateFromFields(frame);
      if (candidate !== null) this.#theirs.announced(candidate);
    } else if (frame.kind === "report" && frame.hidden) this.#theirs.hides();
    else if (frame.kind === "mapping") this.#theirs.maps(mappingKinds[frame.mapping] ?? "unknown");
    this.#judge();
  }

  attested(addresses: readonly UdpAddress[]): void {
    this.#theirs.attested(addresses);
    this.#judge();
  }

  /** Another network, or the direct path is lost: everything is tried again. */
  restart(): void {
    this.#reach("begun");
    this.#reachLater(KNOWN_AFTER_MS, "known", () =>
      this.#reachLater(TRIED_AFTER_MS - KNOWN_AFTER_MS, "tried", () => undefined),
    );
  }

  /** Which way the session goes from now on. */
  moved(isDirect: boolean): void {
    const before = this.#isDirect;
    this.#isDirect = isDirect;
    if (before && !isDirect) this.restart();
    else if (isDirect) this.#judge();
  }

  /** The server has lost the other end, or has it again. */
  away(isAway: boolean): void {
    this.#isAway = isAway;
    this.#judge();
  }

  /** More is known of this end. */
  review(): void {
    this.#judge();
  }

  stop(): void {
    this.#callOff();
  }

  #reachLater(delayMs: number, stage: SearchStage, then: () => void): void {
    this.#callOff();
    this.#callOff = this.#options.clock.after(delayMs, () => {
      this.#reach(stage);
      then();
    });
  }

  #reach(stage: SearchStage): void {
    this.#stage = stage;
    this.#judge();
  }

  #judge(): void {
    const reason = this.#isDirect ? null : this.#why();
    if (reason?.cause === this.#reason?.cause && reason?.remedy === this.#reason?.remedy) return;
    this.#reason = reason;
    this.#options.onReason(reason);
  }

  #why(): Reason | null {
    return this.#isAway ? theyAreAway : whyRelayed(this.#options.own(), this.#theirs.now, this.#stage);
  }
}
