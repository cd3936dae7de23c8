import type { Random } from "../core.ts";
import type { Search } from "./punch-plan.ts";

/** A port to be checked now. */
export interface PortCheck {
  readonly port: number;
  /** It ends on its way: see {@link OPENER_HOPS}. */
  readonly isOpener: boolean;
}

export interface PortSearchOptions {
  readonly how: Search;
  /** `predict`: the ports themselves, likeliest first; `window`: ports that the NAT gave; `birthday`: none. */
  readonly ports: readonly number[];
  /** Each port is opened before it is checked: where the own NAT gives one for each of them in turn. */
  readonly opensFirst: boolean;
  readonly random: Random;
}

/**
 * Rate and most checks of one search: a NAT in front of us keeps an entry for each, and small ones have few thousand. Of 256 open ports
 * 1 150 checks hit one 99 times in 100; with the plain ones beside them they stay below 1 200.
 */
const PACES: Readonly<Record<Search, { readonly gapMs: number; readonly most: number }>> = {
  predict: { gapMs: 1, most: 64 },
  window: { gapMs: 5, most: 512 },
  birthday: { gapMs: 1_000 / 150, most: 1_150 },
};
/** Of a predicted port, counted from the start of the search: few ports, so each is tried more than once. Milliseconds. */
const REPEATS_MS = [0, 60, 150, 300, 500];
/** Ports that a NAT gives one customer at a time. */
const BLOCK_PORTS = 512;
const LOWEST_PORT = 1_024;
const HIGHEST_PORT = 65_535;

/** What one such search comes to at most. */
export function mostChecks(how: Search): number {
  return PACES[how].most;
}

/** Ports of one address, checked one after the other where one of them is thought to lead to the other end. */
export class PortSearch {
  readonly #gapMs: number;
  readonly #checks: readonly { readonly at: number; readonly port: number; readonly isOpener: boolean }[];
  #next = 0;

  constructor(now: number, options: PortSearchOptions) {
    this.#gapMs = PACES[options.how].gapMs;
    const checks = options.how === "predict" ? this.#repeated(options) : this.#once(options);
    this.#checks = checks.slice(0, PACES[options.how].most).map((check) => ({ ...check, at: now + check.at }));
  }

  /** Infinity when there is none left. */
  get dueAt(): number {
    return this.#checks[this.#next]?.at ?? Infinity;
  }

  /** Of the last check. */
  get lastAt(): number {
    return this.#checks.at(-1)?.at ?? 0;
  }

  get isOver(): boolean {
    return this.#next === this.#checks.length;
  }

  poll(now: number): PortCheck | null {
    const check = this.#checks[this.#next];
    if (check === undefined || now < check.at) return null;
    this.#next++;
    return { port: check.port, isOpener: check.isOpener };
  }

  #repeated({ ports, opensFirst }: PortSearchOptions): { at: number; port: number; isOpener: boolean }[] {
    return REPEATS_MS.flatMap((startMs, round) =>
      ports
        .filter(isSearched)
        .map((port, index) => ({ at: startMs + index * this.#gapMs, port, isOpener: opensFirst && round === 0 })),
    );
  }

  #once({ how, ports, random }: PortSearchOptions): { at: number; port: number; isOpener: boolean }[] {
    const [low, high] = how === "window" ? blockAround(ports) : [LOWEST_PORT, HIGHEST_PORT];
    const drawn = draw(low, high, PACES[how].most, random);
    return drawn.map((port, index) => ({ at: index * this.#gapMs, port, isOpener: false }));
  }
}

/** Below are the ports of services, which no NAT gives. */
function isSearched(port: number): boolean {
  return port >= LOWEST_PORT;
}

/** Where the whole block may lie of which these were seen: the more of it they span, the less is left to search. */
function blockAround(ports: readonly number[]): readonly [number, number] {
  const [first, last] = [Math.min(...ports), Math.max(...ports)];
  const slack = Math.max(0, BLOCK_PORTS - (last - first + 1));
  return [Math.max(LOWEST_PORT, first - slack), Math.min(HIGHEST_PORT, last + slack)];
}

/** So many different numbers from `low` to `high`, in no order: Fisher and Yates, as far as needed. */
function draw(low: number, high: number, count: number, random: Random): readonly number[] {
  const all = Uint16Array.from({ length: high - low + 1 }, (_, index) => low + index);
  const drawn = Math.min(count, all.length);
  const chances = new DataView(Uint8Array.from(random(4 * drawn)).buffer);
  for (let index = 0; index < drawn; index++) {
    const other = index + (chances.getUint32(4 * index) % (all.length - index));
    [all[index], all[other]] = [all[other] ?? 0, all[index] ?? 0];
  }
  return [...all.subarray(0, drawn)];
}
