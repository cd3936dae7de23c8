import { expect, test } from "bun:test";
import fc from "fast-check";
import { addressKey, scopeOf, type UdpAddress } from "../../src/wire/address.ts";
import { candidateFromFields } from "../../src/wire/traversal/candidate.ts";
import { Checks } from "../../src/wire/traversal/checks.ts";

const attestedIp = "28.2.0.7";
const ip = fc.constantFrom(
  ...[28, 10, 127, 224, 255, 0, 169].map((first) => Uint8Array.of(first, 2, 0, 7)),
  ...["20010db8000200000000000000000007", "fe800000000000000000000000000001", "00000000000000000000ffff7f000001"].map(
    (text) => Uint8Array.fromHex(text),
  ),
  Uint8Array.of(192, 168, 1, 9),
  Uint8Array.of(1, 2),
);
const port = fc.constantFrom(0, 53, 7_420, 50_000, 50_001, 50_002, 65_536);
const remote = fc.constantFrom<UdpAddress>(
  { ip: attestedIp, port: 50_000 },
  { ip: attestedIp, port: 50_001 },
  { ip: "10.2.0.7", port: 50_000 },
  { ip: "28.9.9.9", port: 50_000 },
  { ip: "127.0.0.1", port: 50_000 },
);
const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("candidate"), type: fc.nat(5), address: ip, port }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("seen", "validated", "lost"), remote }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("attested"), remote }) },
);
const step = fc.record({ waitMs: fc.oneof(fc.nat(200), fc.nat(30_000)), command });

test("whatever a peer says, Checks keeps its budgets, never spins and sends nothing to forbidden places", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const checks = new Checks({
        subnets: [{ ip: "192.168.1.5", prefix: 24 }],
        addresses: [],
        servers: [{ ip: "28.2.0.7", port: 7_420 }],
      });
      checks.addLocal(0, { socket: 0, family: 4 });
      checks.addLocal(0, { socket: 1, family: 6 });
      const sent: { at: number; to: UdpAddress }[] = [];
      let now = 0;
      const drain = () => {
        for (let probe = checks.pollProbe(now); probe !== null; probe = checks.pollProbe(now))
          sent.push({ at: now, to: probe.remote });
      };
      const runTo = (end: number) => {
        for (let at = checks.pollTimeout(); at !== null && at <= end; at = checks.pollTimeout()) {
          now = Math.max(now, at);
          drain();
          expect(checks.pollTimeout() ?? Infinity).toBeGreaterThan(now);
        }
        now = end;
      };
      for (const { waitMs, command } of steps) {
        apply(checks, now, command);
        drain();
        runTo(now + waitMs);
      }
      runTo(now + 120_000);

      for (const { at, to } of sent) {
        expect(["public", "private"]).toContain(scopeOf(to.ip));
        expect(to.port).toBeGreaterThan(1_023);
        expect(addressKey(to)).not.toBe("28.2.0.7:7420");
        const minute = sent.filter((each) => each.at > at - 60_000 && each.at <= at);
        expect(minute.length).toBeLessThanOrEqual(256);
        expect(new Set(minute.map((each) => addressKey(each.to))).size).toBeLessThanOrEqual(12);
      }
      const strangers = sent.filter(({ to }) => addressKey(to) === "10.2.0.7:50001"); // heard from nobody but the candidates
      const isAttested = steps.some(({ command }) => command.kind === "attested" && command.remote.ip === "10.2.0.7");
      expect(strangers.length).toBeLessThanOrEqual(isAttested ? 36 : 6);
    }),
    { numRuns: 300 },
  );
});

type Command = typeof command extends fc.Arbitrary<infer Each> ? Each : never;

function apply(checks: Checks, now: number, command: Command): void {
  if ("address" in command) {
    const candidate = candidateFromFields(command);
    if (candidate !== null) checks.addRemote(now, candidate);
  } else if (command.kind === "attested") checks.attested(now, [command.remote]);
  else if (command.kind === "seen") checks.seen(now, 0, command.remote);
  else if (command.kind === "validated") checks.validated(now, 0, command.remote);
  else checks.lost(now, 0, command.remote);
}
