import { formatBytes } from "../cli/amounts.ts";
import type { Limits } from "../cli/limits.ts";
import type { BucketRate } from "./rate-limit.ts";

const MB = 1_000_000;
const GB = 1_000 * MB;
const DAY_SECONDS = 86_400;

/** @param burst at least one, without which nothing would ever pass */
export function perSecond(rate: number, burst = rate): BucketRate {
  return { perSecond: rate, burst: Math.max(1, burst) };
}

export function perMinute(rate: number, burst = rate): BucketRate {
  return perSecond(rate / 60, burst);
}

export function perHour(rate: number, burst = rate): BucketRate {
  return perSecond(rate / 3_600, burst);
}

/** A number that 0 turns off. */
export function orNone(limit: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}

/** Bytes that one account may send over relay legs. */
export interface RelayQuota {
  readonly rate: BucketRate;
  /** The day's volume comes back all the time; who has spent it goes on at the rate at which it does. */
  readonly day: BucketRate;
}

export function relayQuota(limits: Limits): RelayQuota {
  const rate = limits["limit-relay-rate"] * MB;
  const volume = limits["limit-relay-daily"] * GB;
  return {
    rate: perSecond(rate, limits["limit-relay-burst"] * MB),
    day: perSecond(volume / DAY_SECONDS, volume),
  };
}

/** Said at the start, and by `--check`. */
export interface Doubt {
  readonly message: string;
  readonly hint: string;
}

export interface Openness {
  readonly limits: Limits;
  readonly openRegistration: boolean;
  readonly noRelay: boolean;
}

/** What about these settings an operator should think over, for who starts or checks a server. */
export function unsafeLimits({ limits, openRegistration, noRelay }: Openness): readonly Doubt[] {
  const isUncapped = !noRelay && limits["limit-relay-rate"] === 0 && limits["limit-relay-daily"] === 0;
  const others = [...withoutBrakes(limits), ...selfDefeating(limits)];
  if (isUncapped && openRegistration) return [OPEN_AND_UNCAPPED, ...others];
  const open = openRegistration ? [openly(limits, noRelay)] : [];
  return [...open, ...(isUncapped ? [UNCAPPED] : []), ...others];
}

const UNCAPPED: Doubt = {
  message: "members may send through this server without measure (limit-relay-rate = 0, limit-relay-daily = 0)",
  hint: "set one of the two",
};
const OPEN_AND_UNCAPPED: Doubt = {
  message:
    "ANYONE may register (open-registration) and send WITHOUT MEASURE through this server (limit-relay-rate = 0, limit-relay-daily = 0)",
  hint: "strangers can use up its line: set one of the limits, or add no-relay, or leave out open-registration",
};

function openly(limits: Limits, noRelay: boolean): Doubt {
  return {
    message: `anyone may register${noRelay ? "" : allowance(limits)} (open-registration)`,
    hint: "leave out open-registration, and hand out lines of p2p server invite",
  };
}

function allowance({ "limit-relay-rate": rate, "limit-relay-daily": daily }: Limits): string {
  const amounts = [
    ...(rate > 0 ? [`${formatBytes(rate * MB)} a second`] : []),
    ...(daily > 0 ? [`${formatBytes(daily * GB)} a day`] : []),
  ];
  return ` and send data through this server, up to ${amounts.join(" and ")} for each account`;
}

/** What programs say at once when they start, with room for a person's first steps. */
const FIRST_MESSAGES = 20;

function selfDefeating(limits: Limits): readonly Doubt[] {
  const { "limit-newcomers": all, "limit-newcomers-per-address": each, "limit-messages-burst": messages } = limits;
  const alone = { message: "one address alone can take the place of all newcomers", hint: CROWDED };
  const tight = { message: `limit-messages-burst = ${messages} keeps people from signing in`, hint: TIGHT };
  return [
    ...(all > 0 && (each === 0 || each >= all) ? [alone] : []),
    ...(limits["limit-messages"] > 0 && messages < FIRST_MESSAGES ? [tight] : []),
  ];
}

const CROWDED = "set limit-newcomers-per-address well below limit-newcomers";
const TIGHT = `a program says up to ${FIRST_MESSAGES} messages at once when it starts: leave that room`;

/** Without these, passwords can be guessed and the server be kept busy by anybody. */
const BRAKES = [
  "limit-guesses-per-account",
  "limit-guesses-per-address",
  "limit-newcomers",
  "limit-handshakes",
] as const;

function withoutBrakes(limits: Limits): readonly Doubt[] {
  const off = BRAKES.filter((name) => limits[name] === 0);
  return off.map((name) => ({
    message: `nothing slows down strangers who try again and again (${name} = 0)`,
    hint: `leave ${name} out for its default`,
  }));
}
