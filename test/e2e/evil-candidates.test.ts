import { expect, test } from "bun:test";
import { join } from "node:path";
import { packetType, pathIdAt, typeAt } from "../../src/wire/packet/header.ts";
import { Capture } from "../support/capture.ts";
import { Community } from "../support/community.ts";
import { whyNoNamespaces } from "../support/debian.ts";
import { forbidden, victims } from "../support/evil-candidates.ts";
import { LoopbackNet, nowhere } from "../support/loopback-net.ts";
import { onceEach, type Packet, placeOf } from "../support/pcap.ts";
import { root } from "../support/sources.ts";

const SERVER = "198.51.100.1";
/** As PROTOCOL.md §10.5 has them. */
const MOST_ADDRESSES = 12;
const MOST_CHECKS = 256;
const MOST_BYTES = 64;
const OF_A_STRANGER = 6;
/** What the other end calls its own. */
const OF_IPV6 = 20;
/** What is attested, or on the own network. */
const OF_ANYBODY = 36;

const canCapture = whyNoNamespaces() === null && Bun.which("tcpdump") !== null && Bun.which("ip") !== null;

test.skipIf(!canCapture)(
  "scenario 39, bad inputs 92 to 94: of 1 000 candidates few are tried, a few times, and none that is forbidden",
  async () => {
    await using net = await LoopbackNet.up(nowhere([`${SERVER}/24`, "2001:db8:1::1/64"]));
    await using town = await Community.found({ inside: net.inside, listen: `${SERVER}:7420`, flags: ["--no-relay"] });
    const ben = await town.register("ben", { inside: net.inside });
    await using receiver = await ben.receiving();
    await using capture = await Capture.start("udp", net.inside);
    const program = [process.execPath, join(root, "test/support/evil-candidates.ts")];
    const mallory = [town.joinLine, town.folder, SERVER, "7420", "ben"];
    await using evil = Bun.spawn([...net.inside, ...program, ...mallory], { stdout: "pipe", stderr: "inherit" });
    expect(await evil.stdout.text()).toBe("done\n");
    const packets = await capture.stop();

    // Nobody else seals anything over UDP here, and without a relay nothing of it is for the server.
    const checks = onceEach(packets.filter(isSealed));
    const tried = Map.groupBy(checks, ({ to }) => to);
    for (const packet of checks) expect(packet.payload.length).toBeLessThanOrEqual(MOST_BYTES);
    expect(checks.length).toBeGreaterThan(0);
    expect(checks.length).toBeLessThanOrEqual(MOST_CHECKS);
    expect(tried.size).toBeLessThanOrEqual(MOST_ADDRESSES);
    for (const [to, sent] of tried) {
      const { ip, port } = placeOf(to);
      expect(forbidden).not.toContain(ip);
      expect(`${ip}:${port}`).not.toBe(`${SERVER}:7420`);
      expect(port).toBeGreaterThanOrEqual(1_024);
      expect(sent.length).toBeLessThanOrEqual(mostOf(ip));
      for (const { payload } of sent) expect(pathIdAt(payload, 0)).toBe(0);
    }
    const carl = await town.register("carl", { inside: net.inside });
    expect((await carl.run("msg", "ben", "still there?")).exitCode).toBe(0);
    expect(await receiver.waitFor("message")).toMatchObject({ from: "carl" });
  },
  60_000,
);

function mostOf(ip: string): number {
  if (!victims.includes(ip)) return OF_ANYBODY;
  return ip.includes(":") ? OF_IPV6 : OF_A_STRANGER;
}

const isSealed = ({ payload }: Packet): boolean => typeAt(payload, 0, payload.length) === packetType.sealed;
