import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fromBase32, utf8 } from "../../src/wire/bytes.ts";
import { Capture } from "../support/capture.ts";
import { found, readable, type Secret } from "../support/clear-text.ts";
import { Community, type Person } from "../support/community.ts";
import { whyNoNamespaces } from "../support/debian.ts";
import { LoopbackNet } from "../support/loopback-net.ts";

const canCapture = whyNoNamespaces() === null && ["tcpdump", "ip"].every((program) => Bun.which(program) !== null);

const names = ["telltale-ana", "telltale-ben"] as const;
const labels = ["Telltale laptop of Ana", "Telltale tower of Ben"] as const;
const newPassword = "telltale staple of Ana";
const wrongPassword = "telltale guess of a thief";
const message = "the telltale words of a message";
const chatLine = "the telltale words of a chat";
const fileName = "telltale-file-name.txt";
const fileLine = "the telltale line of a file\n";

/** Goes over the same lines in clear, so that we know that whatever stands there is found. */
const control = "control: readable by everybody";
const speakClearly = (http: string, udp: string) => `
  const [hostname, port] = "${udp}".split(":");
  const socket = await Bun.udpSocket({});
  socket.send("${control} 1", Number(port), hostname);
  const channel = new WebSocket("ws://${http}/v1/channel", ["p2p1"]);
  channel.onopen = () => channel.send(Buffer.from("${control} 2"));
  channel.onclose = () => process.exit();
`;

test.skipIf(!canCapture)(
  "a whole run leaves no name, password, token, text or file name in clear on the line",
  async () => {
    await using net = await LoopbackNet.up();
    const { inside } = net;
    await using capture = await Capture.start("ip or ip6", inside);
    await using town = await Community.found({ inside });
    const [ana, ben] = [await register(town, inside, 0), await register(town, inside, 1)];
    const keys = [await deviceKey(ana), await deviceKey(ben)];
    await talk(town, ana, ben);
    const [udp = ""] = town.udp;
    expect(Bun.spawnSync([...inside, process.execPath, "-e", speakClearly(town.http, udp)]).exitCode).toBe(0);

    const text = readable(await capture.stop());
    const subprotocol: Secret = { name: "subprotocol", bytes: utf8("p2p1") };
    const controls = ["1", "2"].map((number) => ({ name: number, bytes: utf8(`${control} ${number}`) }));
    expect(found([subprotocol, ...controls], text)).toEqual(["subprotocol (raw)", "1 (raw)", "2 (raw)"]);
    expect(found([...planted(town), ...keys], text)).toEqual([]);
  },
  60_000,
);

async function register(town: Community, inside: readonly string[], index: 0 | 1): Promise<Person> {
  const name = names[index];
  const person = await town.newcomer(name, { inside });
  const flags = ["--password-file", person.passwordFile, "--device", labels[index]];
  expect(await person.run("register", name, ...flags)).toMatchObject({ exitCode: 0 });
  return person;
}

/** The server and the people one talks to know a device by its key; nobody else needs to. */
async function deviceKey(person: Person): Promise<Secret> {
  const { events } = await person.run("devices");
  const key = events.flatMap((event) => (event.event === "device" ? [fromBase32(event.key)] : []))[0];
  if (key === undefined || key === null) throw new Error(`no device of ${person.name}`);
  return { name: `device key of ${person.name}`, bytes: key };
}

/** Every command that says something, over UDP and over the server. */
async function talk(town: Community, ana: Person, ben: Person): Promise<void> {
  const file = join(town.folder, fileName);
  await writeFile(file, fileLine.repeat(10_000));
  await using receiver = await ben.receiving();
  for (const line of [
    ["users"],
    ["msg", ben.name, message],
    ["send", file, `@${ben.name}`],
    ["send", file, `@${ben.name}`, "--relay-only"],
    ["ping", ben.name, "-c", "1"],
    ["contacts", "block", ben.name],
    ["contacts", "unblock", ben.name],
  ])
    expect(await ana.run(...line)).toMatchObject({ exitCode: 0 });
  await using chat = ana.startWith({ stdin: `${chatLine}\n` }, "chat", ben.name);
  expect(await chat.finished()).toMatchObject({ exitCode: 0 });
  await receiver.waitFor("message", ({ text }) => text === chatLine);
  await changePassword(town, ana);
}

async function changePassword(town: Community, ana: Person): Promise<void> {
  const [fresh, wrong] = [join(town.folder, "new"), join(town.folder, "wrong")];
  await writeFile(fresh, newPassword);
  await writeFile(wrong, wrongPassword);
  const passwd = ["passwd", "--password-file", ana.passwordFile, "--new-password-file", fresh];
  expect(await ana.run(...passwd)).toMatchObject({ exitCode: 0 });
  const login = ["login", ana.name, "--password-file", wrong];
  expect(await ana.run(...login)).toMatchObject({ exitCode: 3 });
}

function planted(town: Community): readonly Secret[] {
  const invite = town.joinLine.slice(town.joinLine.indexOf(".", town.joinLine.indexOf("#")) + 1);
  const texts = [...names, ...labels, message, chatLine, fileName, fileLine.trim(), newPassword, wrongPassword, invite];
  const passwords = names.map((name) => `correct horse ${name}`);
  // How every access token begins, before and after it is put into base64.
  const tokens = ['{"alg":"EdDSA"', "p2p-access+jwt", '"aud":"p2p-channel"'];
  const rawInvite = fromBase32(invite);
  if (rawInvite === null) throw new Error(`no invitation in ${town.joinLine}`);
  return [
    ...[...texts, ...passwords, ...tokens].map((text) => ({ name: text, bytes: utf8(text) })),
    { name: "the invitation's bytes", bytes: rawInvite },
  ];
}
