import { expect, test } from "bun:test";
import type { CliEvent } from "../../../../src/modes/cli/events.ts";
import { renderEvent } from "../../../../src/modes/cli/render.ts";

const peer = { peer: "bob", session: "0a" };
const transfer = { ...peer, id: "1f" };
const files = [{ name: "a.txt", bytes: 1 }];

type Row = readonly [Exclude<CliEvent, { event: "error" }>, "stdout" | "stderr" | "status" | "detail", string];

const rows: readonly Row[] = [
  [{ event: "signed_in", user: "ana", device: "desk", server: "p2p://h:1/" }, "stdout", "ana on desk at p2p://h:1/"],
  [{ event: "signed_out" }, "stderr", "signed out"],
  [{ event: "user", name: "bob", online: true, trust: "new" }, "stdout", "bob  online  new"],
  [
    { event: "user", name: "bob", online: false, trust: "none", blocked: true },
    "stdout",
    "bob  offline  none  blocked",
  ],
  [{ event: "device", id: "1", label: "desk", key: "kk", trust: "new" }, "stdout", "1  kk  new  desk"],
  [
    { event: "device", id: "2", label: "lap", key: "ll", trust: "verified", here: true },
    "stdout",
    "2  ll  verified  lap  (this device)",
  ],
  [{ event: "waiting" }, "stderr", "waiting; Ctrl-C ends it"],
  [
    { event: "number", peer: "bob", device: "1", digits: "1234567890", trust: "new" },
    "stdout",
    "bob, device 1, new:\n12345 67890",
  ],
  [{ event: "request", ...peer, from: "bob", purpose: "chat", trust: "new" }, "stderr", "bob wants to chat"],
  [
    { event: "request", ...peer, from: "bob", purpose: "chat", trust: "new", greeting: "hi" },
    "stderr",
    "bob wants to chat: hi",
  ],
  [
    { event: "request", ...peer, from: "bob", purpose: "files", trust: "new", count: 7, bytes: 1_500, files },
    "stderr",
    "bob wants to send 7 files, 1.50 kB: a.txt, 6 more",
  ],
  [{ event: "connected", ...peer, path: "relay-ws", safety: "1" }, "stderr", "connected to bob over the server"],
  [
    { event: "path", ...peer, kind: "direct", remote: "1.2.3.4:5", rttMs: 12.34, why: "it answered first" },
    "stderr",
    "path to bob: directly, 1.2.3.4:5, 12.3 ms; it answered first",
  ],
  [{ event: "message", ...peer, from: "bob", id: "1", text: "hi", sentAtMs: 1 }, "stdout", "bob: hi"],
  [{ event: "posted", ...peer, id: "1", to: "bob" }, "detail", "on its way to bob"],
  [{ event: "delivered", ...peer, id: "1", to: "bob" }, "stderr", "delivered to bob"],
  [{ event: "read", ...peer, id: "1" }, "detail", "read"],
  [{ event: "queued", id: "1", to: "bob" }, "stderr", "kept for bob"],
  [{ event: "pong", peer: "bob", rttMs: 0.5, path: "lan" }, "stdout", "bob answered in 0.50 ms, in the local network"],
  [
    { event: "pong", ...peer, rttMs: 12.3, path: "direct", remote: "1.2.3.4:5" },
    "stdout",
    "bob answered in 12.3 ms, directly, 1.2.3.4:5",
  ],
  [{ event: "pong", peer: "bob", rttMs: 250, path: "server" }, "stdout", "bob answered in 250 ms, over the server"],
  [
    { event: "offer", ...transfer, from: "bob", count: 1, bytes: 1, files },
    "stderr",
    "bob offers 1 file, 1 byte: a.txt",
  ],
  [
    { event: "offer", ...transfer, to: "bob", count: 1, bytes: 1, files },
    "stderr",
    "offered bob 1 file, 1 byte: a.txt",
  ],
  [{ event: "accepted", ...transfer }, "stderr", "accepted"],
  [{ event: "ready", http: "h:1", udp: ["h:1"], fingerprint: "k", join: "p2p://h:1/#k" }, "stdout", "p2p://h:1/#k"],
  [{ event: "invite", join: "p2p://h:1/#k.i" }, "stdout", "p2p://h:1/#k.i"],
  [
    { event: "version", version: "1.2.3", commit: "abc", protocol: 1, target: "linux-x64" },
    "stdout",
    "p2p 1.2.3 (abc, linux-x64, protocol 1)",
  ],
  [{ event: "setting", key: "wait", value: "5", from: "file" }, "stdout", "wait = 5 (file)"],
  [{ event: "status", fingerprint: "k" }, "stdout", "k"],
];

test.each(rows)("renderEvent() of %j", (event, to, text) => {
  expect(renderEvent(event)).toEqual([{ to, text }]);
});

const ending: readonly (readonly [Exclude<CliEvent, { event: "error" }>, string])[] = [
  [{ event: "saved", ...transfer, name: "a", path: "/in/a", bytes: 2_000_000, hash: "00" }, "saved /in/a (2.00 MB)"],
  [
    { event: "sent", ...transfer, bytes: 1_200_000_000, seconds: 9.8, limitedBy: "their-disk" },
    "sent to bob and confirmed: 1.20 GB in 9.8 s, 980 Mbit/s, limited by: their disk",
  ],
  [
    { event: "received", ...transfer, bytes: 0, seconds: 0, limitedBy: "too-short" },
    "received from bob: 0 bytes in 0.0 s",
  ],
  [{ event: "closed", ...peer, reason: "bob left", path: "direct" }, "session with bob ended: bob left"],
  [
    { event: "closed", ...peer, reason: "bob left", path: "relay-ws", why: "UDP is blocked on their side" },
    "session with bob ended: bob left; it went over the server because UDP is blocked on their side",
  ],
];

test.each(ending)("renderEvent() of %j takes the progress line away first", (event, text) => {
  const [first, second] = renderEvent(event);
  expect(first).toEqual({ to: "status", text: "" });
  expect(second?.text).toBe(text);
});

test("bad input 164: progress beyond its end shows as 100 %, and no rate below nothing", () => {
  const event: CliEvent = {
    event: "progress",
    ...transfer,
    file: "a",
    bytes: 2_000,
    total: 1_000,
    bytesPerSecond: 0,
    etaSeconds: null,
  };
  expect(renderEvent(event)).toEqual([{ to: "status", text: "100% of 1.00 kB, 0 bytes/s: a" }]);
});

test("bad input 134: every string of an event is cleaned, and cannot make a line of its own", () => {
  const evil = "x\n\u001b[2Jp2p: error: y";
  const event: CliEvent = {
    event: "offer",
    ...transfer,
    from: evil,
    count: 1,
    bytes: 1,
    files: [{ name: evil, bytes: 1 }],
  };
  const clean = "x p2p: error: y";
  expect(renderEvent(event)).toEqual([{ to: "stderr", text: `${clean} offers 1 file, 1 byte: ${clean}` }]);
});

test("renderEvent() of stats is one line of detail, and leaves out what is not known", () => {
  const event: CliEvent = {
    event: "stats",
    ...peer,
    final: false,
    path: "direct",
    rttMs: 22.14,
    minRttMs: 20.3,
    mtuBytes: 1_452,
    congestionWindowBytes: 1_500_000,
    bytesInFlight: 1_200_000,
    sendBytesPerSecond: 98_100_000,
    receiveBytesPerSecond: 12_000,
    limitedBy: "window",
    sentBytes: 1e9,
    receivedBytes: 1e6,
    retransmittedBytes: 3_100_000,
    packetsSent: 100_000,
    packetsReceived: 9_000,
    packetsLost: 300,
    packetsLostSpuriously: 100,
    rekeys: 2,
  };
  expect(renderEvent(event)).toEqual([
    {
      to: "detail",
      text:
        "stats with bob directly: out 98.1 MB/s, in 12.0 kB/s, 22.1 ms (at least 20.3 ms), loss 0.2 %, 3.10 MB sent again, " +
        "1.20 MB of 1.50 MB in flight, packets up to 1452 bytes, 100000 packets out, 9000 in, new keys 2 times, " +
        "held by the congestion window",
    },
  ]);
  const unknown = { rttMs: null, minRttMs: null, mtuBytes: null, congestionWindowBytes: null, bytesInFlight: null };
  const bare: CliEvent = {
    ...event,
    ...unknown,
    retransmittedBytes: 0,
    rekeys: 0,
    packetsLost: 0,
    packetsLostSpuriously: 0,
  };
  expect(renderEvent({ ...bare, final: true, limitedBy: "application" })[0]?.text).toBe(
    "session with bob directly: out 98.1 MB/s, in 12.0 kB/s, loss 0 %, 100000 packets out, 9000 in, held by nothing to send",
  );
});
