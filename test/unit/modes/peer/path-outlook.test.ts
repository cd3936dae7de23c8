import { expect, test } from "bun:test";
import { PathOutlook } from "../../../../src/modes/peer/path-outlook.ts";
import { type Reason, reasonText } from "../../../../src/modes/peer/path-reasons.ts";
import type { Clock } from "../../../../src/modes/runtime/clock.ts";
import { mappingKinds } from "../../../../src/wire/traversal/mapping.ts";
import { hiddenReport, reportToFields } from "../../../../src/wire/traversal/network-report.ts";
import { hiddenStanding } from "../../../../src/wire/traversal/standing.ts";
import type { Standing } from "../../../../src/wire/traversal/verdict.ts";

const cone: Standing = { placement: "independent", hides: false, ipv6: false, portMapped: false };
const hidden = { kind: "report", wanted: false, ...reportToFields(hiddenReport) } as const;
const FIREWALL = "nothing came through, and nothing is known of the network on their side";

/** A session's outlook, with a clock that only goes on when it is told to. */
class Bench implements Clock {
  own: Standing;
  readonly outlook: PathOutlook;
  /** Null while a path is looked for. */
  readonly said: (string | null)[] = [];
  #due: { readonly delayMs: number; readonly run: () => void } | null = null;

  constructor(own: Standing) {
    this.own = own;
    const onReason = (reason: Reason | null) => void this.said.push(reason === null ? null : reason.cause);
    this.outlook = new PathOutlook({ own: () => this.own, onReason, clock: this });
  }

  get isWaiting(): boolean {
    return this.#due !== null;
  }

  now(): number {
    return 0;
  }

  after(delayMs: number, run: () => void): () => void {
    const due = { delayMs, run };
    this.#due = due;
    return () => void (this.#due === due && (this.#due = null));
  }

  soon(run: () => void): () => void {
    return this.after(0, run);
  }

  /** Until the next stage: everything known, everything tried. */
  step(): void {
    const due = this.#due;
    this.#due = null;
    due?.run();
  }

  /** Long enough for everything to have been tried. */
  pass(): void {
    this.step();
    this.step();
  }
}

test("PathOutlook says nothing while there is hope, and once everything was tried why nothing came of it", () => {
  const bench = new Bench(cone);
  expect(bench.said).toEqual([]);
  bench.pass();
  expect(bench.said).toEqual([FIREWALL]);
});

test("PathOutlook says at once why there is no hope", () => {
  expect(new Bench(hiddenStanding).said).toEqual(["this side hides its address (--relay-only)"]);
  const bench = new Bench(cone);
  bench.outlook.heard(hidden);
  bench.outlook.heard(hidden);
  expect(bench.said).toEqual(["their side hides its address"]);
});

test("PathOutlook waits for what an end can tell at once, before it gives up hope", () => {
  const random = { ...cone, placement: "random" } as const;
  const mapping = { kind: "mapping", mapping: mappingKinds.indexOf("random"), step: 128 } as const;
  const [hopeless, mapped] = [new Bench(random), new Bench(random)];
  for (const bench of [hopeless, mapped]) bench.outlook.heard(mapping);
  mapped.outlook.heard({ kind: "candidate", type: 2, address: Uint8Array.of(203, 0, 113, 7), port: 5_000 });
  expect([hopeless.said, mapped.said]).toEqual([[], []]);
  for (const bench of [hopeless, mapped]) bench.step();
  expect([hopeless.said, mapped.said]).toEqual([["both NATs pick a random port per destination"], []]);
});

test("PathOutlook takes back what it said when the network is another, and tries as long again", () => {
  const bench = new Bench(cone);
  bench.pass();
  bench.outlook.restart();
  expect(bench.said).toEqual([FIREWALL, null]);
  expect(bench.isWaiting).toBe(true);
  bench.pass();
  expect(bench.said).toEqual([FIREWALL, null, FIREWALL]);
});

test("PathOutlook has no reason while there is a direct path, and looks anew when it is lost", () => {
  const bench = new Bench(cone);
  bench.outlook.moved(true);
  bench.pass();
  expect(bench.said).toEqual([]);
  bench.outlook.moved(false);
  expect(bench.said).toEqual([]);
  bench.pass();
  expect(bench.said).toEqual([FIREWALL]);
  bench.outlook.moved(true);
  expect(bench.said).toEqual([FIREWALL, null]);
});

test("PathOutlook goes by what is known of this end by then", () => {
  const bench = new Bench(cone);
  bench.step();
  bench.own = { ...cone, placement: "blocked" };
  bench.outlook.review();
  expect(bench.said).toEqual(["UDP is blocked on this side"]);
});

test("PathOutlook knows where the other end is open from what it announces and what the server tells", () => {
  const bench = new Bench(cone);
  bench.outlook.heard({ kind: "candidate", type: 0, address: Uint8Array.of(203, 0, 113, 7), port: 5_000 });
  expect(bench.outlook.theirs.placement).toBe("unknown");
  bench.outlook.attested([{ ip: "203.0.113.7", port: 5_000 }]);
  expect(bench.outlook.theirs.placement).toBe("open");
});

test("PathOutlook goes by what the other end says of its NAT, and by nothing that it does not know", () => {
  const bench = new Bench({ ...cone, placement: "random" });
  bench.step();
  bench.outlook.heard({ kind: "mapping", mapping: mappingKinds.indexOf("random"), step: 128 });
  expect(bench.said).toEqual(["both NATs pick a random port per destination"]);
  bench.outlook.heard({ kind: "mapping", mapping: 99, step: 128 });
  expect(bench.outlook.theirs.placement).toBe("unknown");
});

test("PathOutlook gives the reason that would hold if nothing more came of it", () => {
  const { outlook } = new Bench(cone);
  const reason = outlook.reasonByNow;
  expect(reason === null ? null : reasonText(reason)).toStartWith(FIREWALL);
});

test("PathOutlook blames no network while the other end is away", () => {
  const bench = new Bench(cone);
  bench.outlook.away(true);
  bench.step();
  bench.step();
  expect(bench.said).toEqual(["the server has lost them: their program or their network has stopped"]);
  bench.outlook.away(false);
  expect(bench.said.at(-1)).toBe(FIREWALL);
});

test("PathOutlook waits for nothing once it is stopped", () => {
  const bench = new Bench(cone);
  bench.outlook.stop();
  expect(bench.isWaiting).toBe(false);
});
