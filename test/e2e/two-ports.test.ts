import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatJoinLine, parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { run } from "../support/binary.ts";
import { Community, Person } from "../support/community.ts";
import { randomFile, sha256Of } from "../support/files.ts";

const town = (): Promise<Community> => Community.found({ flags: ["--listen", "127.0.0.1:0"] });

test("a server on two ports names both in its join lines, and tells both to open", async () => {
  await using community = await town();
  const { nodes } = parseJoinLine(community.joinLine);
  expect(nodes.map(({ host }) => host)).toEqual(["127.0.0.1", "127.0.0.1"]);
  expect(new Set(nodes.map(({ port }) => port)).size).toBe(2);
  expect(community.udp).toHaveLength(4);
  const invited = await run(["server", "invite", "--json", "--data", community.dataFolder]);
  const line = invited.events.find((event) => event.event === "invite")?.join ?? "";
  expect(parseJoinLine(line).nodes).toEqual(nodes);
});

test("where the first port is swallowed or refused, everything goes over the second", async () => {
  await using community = await town();
  const line = parseJoinLine(community.joinLine);
  const [, second] = line.nodes;
  if (second === undefined) throw new Error("one port alone");
  using hole = await swallowing();
  for (const port of [hole.port, 1]) {
    const names = [`ana${port}`, `ben${port}`] as const;
    const nodes = [{ host: "127.0.0.1", port }, second];
    const [ana, ben] = names.map((name) => newcomer(community, name, formatJoinLine({ ...line, nodes })));
    if (ana === undefined || ben === undefined) throw new Error("nobody");
    for (const person of [ana, ben])
      expect((await person.run("register", person.name, "--password-file", person.passwordFile)).exitCode).toBe(0);
    const file = join(community.folder, `${port}.bin`);
    const hash = await randomFile(file, 2 ** 20);
    await using receiver = await ben.receiving("--yes", "--once");
    expect((await ana.run("send", file, `@${ben.name}`, "--relay-only")).exitCode).toBe(0);
    expect((await receiver.finished()).exitCode).toBe(0);
    expect(await sha256Of(join(ben.inbox, `${port}.bin`))).toBe(hash);
  }
});

function newcomer({ folder }: Community, name: string, line: string): Person {
  const place = join(folder, name);
  mkdirSync(place);
  const person = new Person(name, place, line, {});
  writeFileSync(person.passwordFile, `correct horse ${name}\n`, { mode: 0o600 });
  return person;
}

/** A port that takes connections and says nothing, as a firewall that lets nothing through looks to a program. */
async function swallowing(): Promise<{ readonly port: number } & Disposable> {
  const opened = Promise.withResolvers<number>();
  const server = createServer((socket) => void socket.on("error", () => {}));
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    opened.resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return { port: await opened.promise, [Symbol.dispose]: () => void server.close() };
}
