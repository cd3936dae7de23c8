import { expect, test } from "bun:test";
import { aboutSilence, UdpSilence } from "../../../../src/modes/server/udp-silence.ts";
import { ManualClock } from "./manual-clock.ts";

function watch(ports: readonly number[] = [7_420, 7_421]) {
  const clock = new ManualClock();
  const told: (readonly number[])[] = [];
  const silence = new UdpSilence({ ports, clock, onSilence: (silent) => void told.push(silent) });
  const devices = (...ids: number[]) => ids.forEach((id) => silence.told(new Uint8Array(16).fill(id)));
  return { clock, told, silence, devices };
}

test("UdpSilence tells once when three devices have come and nothing arrives", () => {
  const { clock, told, devices } = watch();
  devices(1, 2, 3);
  expect(told).toEqual([]);
  clock.advance(10_000);
  expect(told).toEqual([[7_420, 7_421]]);
  devices(4, 5, 6, 7);
  clock.advance(60_000);
  expect(told).toHaveLength(1);
});

test("UdpSilence counts devices, however often each comes", () => {
  const { clock, told, devices } = watch();
  devices(1, 2, 1, 2, 1, 2);
  clock.advance(60_000);
  expect(told).toEqual([]);
  devices(3);
  clock.advance(10_000);
  expect(told).toHaveLength(1);
});

test("UdpSilence says nothing where something has arrived at all ports, also when only just after the third device", () => {
  const { clock, told, silence, devices } = watch([7_420, 7_421, 443, 444]);
  devices(1, 2, 3);
  for (const listener of [0, 1]) silence.heard(listener);
  clock.advance(60_000);
  expect(told).toEqual([]);
});

test("UdpSilence names the one port that was forgotten", () => {
  const { clock, told, silence, devices } = watch();
  silence.heard(0);
  devices(1, 2, 3);
  clock.advance(10_000);
  expect(told).toEqual([[7_421]]);
});

test("aboutSilence() says which ports to open, and where", () => {
  expect(aboutSilence([7_420, 7_421])).toEqual({
    level: "warning",
    message:
      "3 devices have signed in and nothing has come in at any of the UDP ports 7420, 7421: fewer people will connect directly",
    hint: "open UDP 7420, 7421 in the firewall (ufw allow 7420/udp, ufw allow 7421/udp) and in the provider's panel",
  });
  expect(aboutSilence([7_421]).message).toContain("at UDP port 7421:");
});
