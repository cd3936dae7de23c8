import { expect, test } from "bun:test";
import type { PathInfo } from "../../../../src/modes/peer/peer-session.ts";
import { SessionPath } from "../../../../src/modes/peer/session-path.ts";

const relayed: PathInfo = { kind: "relay-ws", remote: "192.0.2.1:7420", rttMs: 60, why: "there was no path" };
const direct: PathInfo = { kind: "direct", remote: "203.0.113.1:5001", rttMs: 20, why: "a better kind of path" };

function watched(): { path: SessionPath; told: PathInfo[] } {
  const [path, told] = [new SessionPath("192.0.2.1:7420"), [] as PathInfo[]];
  path.onChange((now) => void told.push(now));
  return { path, told };
}

test("SessionPath does not tell where every session begins, but each change, and the way back to the server too", () => {
  const { path, told } = watched();
  path.moved(relayed);
  expect([path.now, told]).toEqual([relayed, []]);
  for (const next of [direct, relayed]) path.moved(next);
  expect(told).toEqual([direct, relayed]);
});

test("SessionPath tells of a session that begins on a direct path", () => {
  const { path, told } = watched();
  path.moved(direct);
  expect(told).toEqual([direct]);
});

test("SessionPath says what the server lets pass while it carries the session, and no longer", () => {
  const { path, told } = watched();
  path.moved(relayed);
  path.relayLimited(1_000_000);
  expect(told).toMatchObject([{ kind: "relay-ws", relayBytesPerSecond: 1_000_000 }]);
  path.moved(direct);
  expect(path.now).toEqual(direct);
  path.relayLimited(2_000_000);
  expect(told).toHaveLength(2);
  path.moved(relayed);
  expect(path.now.relayBytesPerSecond).toBe(2_000_000);
});

test("SessionPath is on the route whose other end it names", () => {
  const { path } = watched();
  path.moved(direct);
  expect(path.isOn({ kind: "udp", socket: 0, remote: { ip: "203.0.113.1", port: 5_001 } })).toBe(true);
  expect(path.isOn({ kind: "udp", socket: 0, remote: { ip: "203.0.113.1", port: 5_002 } })).toBe(false);
  expect(path.isOn({ kind: "server" })).toBe(false);
});
