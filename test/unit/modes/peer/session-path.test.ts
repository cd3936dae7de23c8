import { expect, test } from "bun:test";
import type { PathInfo } from "../../../../src/modes/peer/peer-session.ts";
import { isRelayed, SessionPath } from "../../../../src/modes/peer/session-path.ts";

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
  expect([path.now, told]).toEqual([{ ...relayed, why: "looking for a direct path" }, []]);
  const back: PathInfo = { ...relayed, why: "the path before stopped answering" };
  for (const next of [direct, back]) path.moved(next);
  expect(told).toEqual([direct, { ...back, why: "the path before stopped answering; looking for a direct path" }]);
});

test("SessionPath tells why the server carries the session as soon as that is known, and when it holds no more", () => {
  const { path, told } = watched();
  path.moved(relayed);
  const reason = { cause: "UDP is blocked on their side", remedy: "another network would help", isFinal: true };
  path.explained(reason);
  expect([path.now.why, path.reason]).toEqual(["UDP is blocked on their side; another network would help", reason]);
  path.explained(null);
  expect(told.map(({ why }) => why)).toEqual([
    "UDP is blocked on their side; another network would help",
    "looking for a direct path",
  ]);
});

test("SessionPath keeps to itself what is known of a server's path that is not in use", () => {
  const { path, told } = watched();
  path.moved(direct);
  path.explained({ cause: "UDP is blocked on their side", remedy: "another network would help", isFinal: true });
  expect([path.now, path.reason, told]).toEqual([direct, null, [direct]]);
});

test("SessionPath tells of the server's limit before the reason, once", () => {
  const { path, told } = watched();
  path.moved(relayed);
  path.relayLimited(1_000_000);
  path.explained({ cause: "UDP is blocked on their side", remedy: "another network would help", isFinal: true });
  expect(told).toHaveLength(1);
  expect(path.now.why).toStartWith("the server limits what you relay");
});

test("isRelayed() holds for both ways over the server, and for no other", () => {
  const kinds = ["lan", "direct", "port-mapped", "relay-udp", "relay-ws"] as const;
  expect(kinds.filter((kind) => isRelayed({ kind }))).toEqual(["relay-udp", "relay-ws"]);
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
