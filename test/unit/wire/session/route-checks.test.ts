import { expect, test } from "bun:test";
import { PathChallenges } from "../../../../src/wire/session/path-challenges.ts";
import { RouteChecks } from "../../../../src/wire/session/route-checks.ts";
import { RouteState } from "../../../../src/wire/session/route-state.ts";
import { Seeded } from "../../../sim/seeded.ts";

const KEEPALIVE_MS = 15_000;
const remote = { ip: "28.2.0.7", port: 50_000 };

/** An idle, usable route whose keepalives are answered at the try that is asked for. */
class Idle {
  readonly checks: RouteChecks;
  readonly route = new RouteState({ kind: "udp", socket: 0, remote }, 0);
  now = 0;

  constructor() {
    const random = new Seeded(1).bytes;
    this.checks = new RouteChecks(new PathChallenges(random), random, KEEPALIVE_MS);
    this.route.standing = "usable";
    this.checks.restart(0, this.route);
  }

  get gapMs(): number {
    return (this.route.challengeAt ?? 0) - this.now;
  }

  /** @returns why the route is given up */
  keepalive(answeredAtTry: number): string | null {
    for (let attempt = 1; ; attempt++) {
      this.now = this.route.challengeAt ?? Infinity;
      const why = this.checks.handleTimeout(this.now, this.route, false);
      if (why !== null) return why;
      if (attempt < answeredAtTry) continue;
      this.now += 100;
      this.route.confirmedAtMs = this.now;
      this.checks.restart(this.now, this.route);
      return null;
    }
  }
}

const isUsual = (gapMs: number) => gapMs >= 0.8 * KEEPALIVE_MS && gapMs <= 1.2 * KEEPALIVE_MS;
const isShort = (gapMs: number) => gapMs >= 5_600 && gapMs <= 8_400;

test("keepalives that are answered at once, or now and then at the second try, come every 15 s ± 20 %", () => {
  const idle = new Idle();
  for (const attempt of [1, 2, 1, 1, 2, 1, 3, 1]) {
    expect(idle.keepalive(attempt)).toBeNull();
    expect(isUsual(idle.gapMs)).toBe(true);
  }
});

test("two in a row that had to be repeated make them come every 7 s, until the network is another one", () => {
  const idle = new Idle();
  idle.keepalive(2);
  idle.keepalive(3);
  expect(isShort(idle.gapMs)).toBe(true);
  idle.keepalive(1);
  expect(isShort(idle.gapMs)).toBe(true);
  idle.checks.renew();
  idle.keepalive(1);
  expect(isUsual(idle.gapMs)).toBe(true);
});

test("a route that was given up for its silence makes those of the next one come sooner", () => {
  const idle = new Idle();
  expect(idle.keepalive(9)).toBe("keepalives stay unanswered");
  idle.checks.restart(idle.now, idle.route);
  expect(isShort(idle.gapMs)).toBe(true);
});
