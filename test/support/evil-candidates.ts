import { parseIp, type UdpAddress } from "../../src/wire/address.ts";
import { utf8 } from "../../src/wire/bytes.ts";
import { candidateTypes } from "../../src/wire/traversal/candidate.ts";
import { Seeded } from "../sim/seeded.ts";
import { EvilPeer } from "./evil-peer.ts";

/** Where nothing may ever be sent, whoever asks for it. `server` stands for the server's own address. */
export const forbidden: readonly string[] = [
  "127.0.0.1",
  "127.8.8.8",
  "::1",
  "0.0.0.0",
  "::",
  "169.254.169.254",
  "fe80::1",
  "224.0.0.1",
  "239.255.255.250",
  "ff02::1",
  "255.255.255.255",
  "240.0.0.1",
];

/** Of others, who have asked for nothing. */
export const victims: readonly string[] = ["203.0.113.9", "203.0.113.10", "10.99.0.1", "2001:db8:ffff::9"];

/** A thousand of them, the forbidden ones first, some again and again, with every type and with ports of services among them. */
function candidates(
  server: UdpAddress,
): { readonly type: number; readonly address: Uint8Array; readonly port: number }[] {
  const numbers = new Seeded(39);
  const all = [server, { ...server, port: server.port + 1 }];
  for (const ip of forbidden) for (const port of [9, 5_353, 40_000]) all.push({ ip, port });
  for (const ip of victims) for (const port of [0, 22, 53, 1_023]) all.push({ ip, port });
  while (all.length < 980) all.push({ ip: victims[numbers.between(0, 3)] ?? "", port: numbers.between(1_024, 65_535) });
  const types = candidateTypes.length;
  const frames = all.map(({ ip, port }, at) => ({ type: at % types, address: parseIp(ip) ?? new Uint8Array(4), port }));
  const odd = [utf8("127.1"), utf8("localhost"), new Uint8Array(), new Uint8Array(5), new Uint8Array(15)];
  const broken = odd.flatMap((address) => [0, 1, 7, 255].map((type) => ({ type, address, port: 40_000 })));
  return [...frames, ...broken];
}

/** `bun test/support/evil-candidates.ts JOIN-LINE FOLDER SERVER-IP SERVER-PORT PERSON` */
if (import.meta.main) {
  const [joinLine = "", folder = "", ip = "", port = "", person = ""] = process.argv.slice(2);
  await using mallory = await EvilPeer.register({ joinLine, folder }, "mallory");
  await mallory.meet(person);
  for (let round = 0; round < 2; round++)
    for (const [at, fields] of candidates({ ip, port: Number(port) }).entries()) {
      mallory.say({ kind: "candidate", ...fields });
      // Many to a packet: a server that does not relay lets 64 KiB through.
      if (at % 50 === 0) await Bun.sleep(5);
    }
  // The last checks of the longest schedule go out ten seconds after the first.
  await Bun.sleep(11_000);
  await mallory.ping();
  process.stdout.write("done\n");
}
