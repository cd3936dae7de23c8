import { join } from "node:path";
import { Seeded } from "../sim/seeded.ts";
import { flipBit } from "./bytes.ts";
import { EvilServer } from "./evil-server.ts";
import { EvilUdpRelay, type UdpEnd } from "./evil-udp-relay.ts";
import { randomFile, sha256Of } from "./files.ts";
import { temporaryFolder } from "./folder.ts";

/** What came of one deed. */
export interface Told {
  readonly deed: string;
  /** How often it was done. */
  readonly done: number;
  readonly exitCode: number;
  readonly arrived: boolean;
  /** How many messages and files Ben was told of. */
  readonly heard: number;
  /** Kinds of paths that Ana was told of. */
  readonly paths: readonly string[];
}

const MIB = 2 ** 20;
const numbers = new Seeded(1_080);
const kept: Uint8Array[] = [];
const held: (() => void)[] = [];

/** What a relay may do to a packet, one in ten of them. */
const deeds: Readonly<Record<string, (packet: Uint8Array, to: UdpEnd, all: readonly UdpEnd[]) => void>> = {
  "does its work": (packet, to) => to.send(packet),
  "turns over bits": (packet, to) => to.send(flipBit(packet, numbers.between(0, packet.length * 8 - 1))),
  "cuts packets short": (packet, to) => to.send(packet.subarray(0, numbers.between(1, packet.length - 1))),
  "swallows packets": () => undefined,
  "says them three times, and back to who sent them": (packet, to, all) => {
    for (let times = 0; times < 3; times++) to.send(packet);
    all.find((end) => end.session === to.session && end !== to)?.send(packet);
  },
  "keeps them for later, and says old ones again": (packet, to) => {
    kept.push(packet);
    held.push(() => to.send(packet));
    setTimeout(() => held.splice(numbers.between(0, held.length - 1), 1)[0]?.(), numbers.between(1, 60));
    to.send(kept[numbers.between(0, kept.length - 1)] ?? packet);
  },
  "sends noise under their heads": (packet, to) =>
    to.send(new Uint8Array([...packet.subarray(0, 16), ...numbers.bytes(packet.length - 16)])),
  "hands them to another session": (packet, to, all) => {
    for (const end of all) if (end.session !== to.session) end.send(packet);
  },
};

/** `bun test/support/evil-udp-story.ts`, in a network with loopback alone, where no path is direct: tells what came of each deed. */
if (import.meta.main) {
  await using server = new EvilServer();
  using relay = await EvilUdpRelay.open();
  using folder = temporaryFolder();
  Object.assign(server.relay, { isOpen: true, udp: relay });
  const people = [await server.register("ana"), await server.register("ben"), await server.register("carl")];
  const [ana, ben, carl] = people;
  if (ana === undefined || ben === undefined || carl === undefined) throw new Error("nobody");
  await using atBen = await ben.receiving();
  // A session of others, whose legs are there all the time.
  await using aside = carl.startWith({ stdin: "open" }, "chat", "ben");
  await aside.waitFor("path", ({ kind }) => kind === "relay-udp");
  for (const [at, [deed, act]] of Object.entries(deeds).entries()) {
    let done = 0;
    relay.onPacket = (packet, to) => {
      if (!numbers.chance(0.1)) return to.send(packet);
      done++;
      act(packet, to, relay.ends);
    };
    const path = folder.at(`${at}.bin`);
    const hash = await randomFile(path, MIB);
    const { exitCode, events } = await ana.run("send", path, "@ben");
    const saved = await atBen.waitFor("saved");
    const arrived = (await sha256Of(join(ben.inbox, saved.name))) === hash && saved.name === `${at}.bin`;
    const heard = atBen.events.filter(({ event }) => event === "message" || event === "saved").length;
    const paths = events.flatMap((event) => (event.event === "path" ? [event.kind] : []));
    const told: Told = { deed, done, exitCode, arrived, heard, paths };
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
  aside.endInput("still here\n");
  await atBen.waitFor("message", ({ text }) => text === "still here");
  process.stdout.write("done\n");
}
