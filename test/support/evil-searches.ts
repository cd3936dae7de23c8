import { parseIp } from "../../src/wire/address.ts";
import { mappingKinds } from "../../src/wire/traversal/mapping.ts";
import { searches } from "../../src/wire/traversal/punch-plan.ts";
import { EvilPeer } from "./evil-peer.ts";

/** `bun test/support/evil-searches.ts JOIN-LINE FOLDER SERVER-IP OWN-IP VICTIM-IP PERSON`: three in league, who want ports searched for. */
if (import.meta.main) {
  const [joinLine = "", folder = "", server = "", own = "", victim = "", person = ""] = process.argv.slice(2);
  await using all = new AsyncDisposableStack();
  const gang: EvilPeer[] = [];
  for (let count = 1; count <= 3; count++) {
    const mallory = all.use(await EvilPeer.register({ joinLine, folder }, `mallory${count}`));
    await mallory.beSeenAt(own, { ip: server, port: 7_420 });
    await mallory.meet(person);
    mallory.say({ kind: "mapping", mapping: mappingKinds.indexOf("random"), step: 128 });
    mallory.say({ kind: "candidatesEnd", generation: 0 });
    gang.push(mallory);
  }
  const places = [own, victim, "127.0.0.1", "255.255.255.255", "224.0.0.1"].map((ip) => parseIp(ip));
  for (let round = 1; round <= 60; round++) {
    for (const mallory of gang)
      for (const address of places) {
        const [how, ports] = [searches.indexOf("birthday"), []];
        if (address !== null) mallory.say({ kind: "seekMe", round, how, address, ports });
      }
    await Bun.sleep(200);
  }
  process.stdout.write("done\n");
}
