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
    { event: "sent", ...transfer, bytes: 3_000_000, seconds: 2 },
    "sent to bob and confirmed: 3.00 MB in 2.0 s, 1.50 MB/s",
  ],
  [{ event: "received", ...transfer, bytes: 0, seconds: 0 }, "received from bob: 0 bytes in 0.0 s"],
  [{ event: "closed", ...peer, reason: "bob left" }, "session with bob ended: bob left"],
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
