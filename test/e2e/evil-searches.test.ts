import { expect, test } from "bun:test";
import { join } from "node:path";
import { packetType, typeAt } from "../../src/wire/packet/header.ts";
import { Capture } from "../support/capture.ts";
import { Community } from "../support/community.ts";
import { whyNoNamespaces } from "../support/debian.ts";
import { LoopbackNet, nowhere } from "../support/loopback-net.ts";
import { onceEach, type Packet, placeOf } from "../support/pcap.ts";
import { root } from "../support/sources.ts";

const SERVER = "198.51.100.1";
/** Of those who search: the server sees them there. */
const SEEN = "203.0.113.1";
/** Of somebody whom the server has not seen. */
const VICTIM = "192.0.2.77";
/** As PROTOCOL.md §10.5 and §10.7 have them: of plain checks a minute and session, and of searches a second and program. */
const PLAIN_CHECKS = 256;
const A_SECOND = 150;

const canCapture = whyNoNamespaces() === null && Bun.which("tcpdump") !== null && Bun.which("ip") !== null;

test.skipIf(!canCapture)(
  "bad input 94: three who want ports searched for get one search at a time, and nobody gets one whom the server has not seen",
  async () => {
    await using net = await LoopbackNet.up(nowhere([`${SERVER}/24`, `${SEEN}/24`]));
    const listen = `${SERVER}:7420`;
    await using town = await Community.found({
      inside: net.inside,
      listen,
      flags: ["--no-relay", "--open-registration"],
    });
    const ben = await town.register("ben", { inside: net.inside });
    await using receiver = await ben.receiving();
    await using capture = await Capture.start("udp", net.inside);
    const program = [process.execPath, join(root, "test/support/evil-searches.ts")];
    const words = [town.joinLine, town.folder, SERVER, SEEN, VICTIM, "ben"];
    const beganAt = performance.now();
    await using evil = Bun.spawn([...net.inside, ...program, ...words], { stdout: "pipe", stderr: "inherit" });
    expect(await evil.stdout.text()).toBe("done\n");
    const seconds = (performance.now() - beganAt) / 1_000;
    const sealed = onceEach((await capture.stop()).filter(isSealed));
    const byIp = Map.groupBy(sealed, ({ to }) => placeOf(to).ip);
    expect(receiver.stdout).toContain("waiting");
    expect([...byIp.keys()]).toEqual([SEEN]);
    expect(sealed.length).toBeGreaterThan(500); // there was a search
    expect(sealed.length).toBeLessThanOrEqual(3 * PLAIN_CHECKS + Math.ceil(seconds * A_SECOND));
    for (const { payload } of sealed) expect(payload.length).toBeLessThanOrEqual(64);
  },
  60_000,
);

const isSealed = ({ payload }: Packet): boolean => typeAt(payload, 0, payload.length) === packetType.sealed;
