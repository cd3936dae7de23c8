import { expect, test } from "bun:test";
import type { ReportEvent } from "../../src/modes/cli/events.ts";
import type { Lab, LabSpec } from "../support/natlab.ts";
import { DIRECT_WITHIN_MS, Village } from "./village.ts";

interface Opened {
  readonly ports: number;
  /** In the IPv6 firewall. */
  readonly pinholes: number;
}

const NOTHING: Opened = { ports: 0, pinholes: 0 };

/** What the gateway daemon of side a's router lets in. */
async function opened(lab: Lab): Promise<Opened> {
  const { stdout } = await lab.exec("a-router", "nft", "list", "table", "inet", "igd");
  return {
    ports: stdout.match(/dnat ip to /g)?.length ?? 0,
    pinholes: stdout.match(/@nh,192,128 /g)?.length ?? 0,
  };
}

/** The daemon keeps a pinhole that was asked for twice until its shortest lifetime is over, 10 s. Milliseconds. */
const CLOSED_WITHIN_MS = 20_000;

/** The same, as soon as it is what is wanted. */
async function openedAtLast(lab: Lab, wanted: Opened): Promise<Opened> {
  for (const deadline = performance.now() + CLOSED_WITHIN_MS; ; await Bun.sleep(20)) {
    const now = await opened(lab);
    if (Bun.deepEquals(now, wanted) || performance.now() > deadline) return now;
  }
}

/** How the other end calls the path: a NAT that keeps the port has the mapped one for the address that the server sees, too. */
const mapped: readonly (readonly [string, LabSpec, RegExp])[] = [
  ["cone with UPnP × symmetric", { a: "cone,upnp", b: "symmetric" }, /^(direct|port-mapped)$/],
  ["symmetric with UPnP × symmetric", { a: "symmetric,upnp", b: "symmetric" }, /^port-mapped$/],
  ["symmetric with UPnP × cone", { a: "symmetric,upnp", b: "cone" }, /^port-mapped$/],
];

for (const [where, spec, kind] of mapped) {
  test(`reach 10: ${where}: a port that a router opens makes the path direct, and is closed at the end`, async () => {
    await using village = await Village.settle(spec);
    const { ana, ben, lab } = village;
    await using receiver = await ben.receiving();
    await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
    const here = await chat.waitFor("path", (path) => isDirect(path.kind), DIRECT_WITHIN_MS);
    const there = await receiver.waitFor("path", (path) => kind.test(path.kind), DIRECT_WITHIN_MS);
    expect(here.session).toBe(there.session);
    expect(there.remote.startsWith(lab.publicIp("a"))).toBe(true);
    expect(await opened(lab)).toEqual({ ports: 1, pinholes: 0 });
    chat.endInput("through the open port\n");
    expect(await receiver.waitFor("message")).toMatchObject({ text: "through the open port" });
    expect(await chat.exited).toBe(0);
    expect(await openedAtLast(lab, NOTHING)).toEqual(NOTHING);
  });
}

test("reach 11: behind a carrier's NAT the router's port is none, and the path is found without", async () => {
  await using village = await Village.settle({ a: "cgnat,upnp", b: "cone" });
  const { ana, ben, lab } = village;
  await using receiver = await ben.receiving();
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor("path", (path) => path.kind === "direct", DIRECT_WITHIN_MS);
  await receiver.waitFor("path", (path) => path.kind === "direct", DIRECT_WITHIN_MS);
  expect(await opened(lab)).toEqual(NOTHING);
  chat.endInput();
  expect(await chat.exited).toBe(0);
});

test("reach 14: a router with PCP opens its IPv6 firewall, and the path is direct over IPv6", async () => {
  await using village = await Village.settle({ a: "upnp,stack=dual,v6=fw", b: "none,stack=v6,v6=fw" });
  const { ana, ben, lab } = village;
  await using _ = await ben.receiving();
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor(
    "path",
    (path) => isDirect(path.kind) && path.remote.startsWith(`[${lab.ip6("b")}]`),
    DIRECT_WITHIN_MS,
  );
  expect(await opened(lab)).toEqual({ ports: 1, pinholes: 1 });
  chat.endInput();
  expect(await chat.exited).toBe(0);
  expect(await openedAtLast(lab, NOTHING)).toEqual(NOTHING);
});

test("each of the three protocols opens a port by itself, where the better ones are silent", async () => {
  await using village = await Village.settle({ a: "symmetric,upnp", b: "none" });
  const { ana, lab } = village;
  for (const [silenced, pcp, natPmp, upnp] of [
    [null, "mapped", "ready", "ready"],
    ["udp dport 5351 @th,64,8 2", "silent", "mapped", "ready"], // a first byte of 2 is PCP's
    ["udp dport 5351", "silent", "silent", "mapped"],
  ] as const) {
    if (silenced !== null) await silence(lab, silenced);
    const { events } = await ana.run("doctor");
    const report = events.find((event): event is ReportEvent => event.event === "report" && !("peer" in event));
    expect(report?.portMappers).toEqual([
      { protocol: "pcp", state: pcp },
      { protocol: "nat-pmp", state: natPmp },
      { protocol: "upnp", state: upnp },
    ]);
    expect(await openedAtLast(lab, NOTHING)).toEqual(NOTHING);
  }
});

/** What matches comes to side a's router, and no further. */
async function silence(lab: Lab, match: string): Promise<void> {
  const chain = "add table inet mute; add chain inet mute input { type filter hook input priority -200; }";
  const { exitCode, stderr } = await lab.exec("a-router", "nft", `${chain}; add rule inet mute input ${match} drop`);
  expect(exitCode, stderr).toBe(0);
}

test("who gets another address in the LAN has a port opened there, and is reached through it", async () => {
  await using village = await Village.settle({ a: "symmetric,upnp", b: "symmetric" });
  const { ana, ben, lab } = village;
  await using receiver = await ben.receiving();
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  const before = await receiver.waitFor("path", (path) => path.kind === "port-mapped", DIRECT_WITHIN_MS);
  await lab.roam("a");
  // The old port stays open until its lease ends: only the old address could have it closed.
  const both: Opened = { ports: 2, pinholes: 0 };
  expect(await openedAtLast(lab, both)).toEqual(both);
  const isNew = ({ kind, remote }: { kind: string; remote: string }) =>
    kind === "port-mapped" && remote !== before.remote;
  await receiver.waitFor("path", isNew, DIRECT_WITHIN_MS);
  chat.endInput("from somewhere else\n");
  expect(await receiver.waitFor("message")).toMatchObject({ text: "from somewhere else" });
  expect(await chat.exited).toBe(0);
});

test("a router is asked for nothing with --relay-only, or by who has said so", async () => {
  await using village = await Village.settle({ a: "cone,upnp", b: "none" });
  const { ana, ben, lab } = village;
  await using receiver = await ben.receiving();
  for (const [flags, env] of [
    [["--relay-only"], {}],
    [[], { P2P_NO_PORT_MAPPING: "1" }],
  ] as const) {
    await using chat = ana.startWith({ stdin: "open", env }, "chat", "ben", ...flags);
    await chat.waitFor("connected");
    expect(await opened(lab)).toEqual(NOTHING);
    chat.endInput("said\n");
    await receiver.waitFor("message");
    expect(await chat.exited).toBe(0);
  }
});

test("an interrupted program closes the port that was opened for it, and is not held up by that", async () => {
  await using village = await Village.settle({ a: "cone,upnp", b: "none" });
  const { ana, lab } = village;
  await using receiver = await ana.receiving();
  const port: Opened = { ports: 1, pinholes: 0 };
  expect(await openedAtLast(lab, port)).toEqual(port);
  receiver.signal("SIGINT");
  expect(await receiver.exited).toBe(130);
  expect(await openedAtLast(lab, NOTHING)).toEqual(NOTHING);
});

function isDirect(kind: string): boolean {
  return kind === "direct" || kind === "port-mapped";
}
