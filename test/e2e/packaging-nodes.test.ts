import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type P2p, run, start } from "../support/binary.ts";
import { writeSelfSigned } from "../support/certificate.ts";
import { Person } from "../support/community.ts";
import { ComposeFile, replaced, type Stands } from "../support/compose.ts";
import { DatabaseProcess, freePort } from "../support/database-process.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";
import { startMongodb } from "../support/mongodb.ts";
import { nodesMissing } from "../support/nodes.ts";
import { root } from "../support/sources.ts";

/** What reaches everybody in the end; this machine may be busy. */
const BACK_MS = 60_000;
const compose = new ComposeFile("packaging/nodes/compose.yaml");
const packaged = (name: string): string => readFileSync(join(root, "packaging/nodes", name), "utf8");

/** Where the name and those of both nodes lead on this machine. */
interface Doors {
  readonly all: number;
  readonly a: number;
  readonly b: number;
}

interface Proxy {
  readonly program: string | null;
  /** Writes its settings. @returns its command line */
  readonly prepare: (folder: TemporaryFolder, doors: Doors, stands: Stands) => readonly string[];
}

const proxies: Readonly<Record<string, Proxy>> = {
  caddy: { program: Bun.which("caddy"), prepare: prepareCaddy },
  nginx: {
    program: Bun.which("nginx", { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` }),
    prepare: prepareNginx,
  },
};

/** Certificates of its own in place of those that it would ask for, and no port 80. */
function prepareCaddy(folder: TemporaryFolder, _: Doors, stands: Stands): readonly string[] {
  const options = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tlocal_certs\n}\n";
  const file = folder.at("Caddyfile");
  writeFileSync(
    file,
    options + replaced(packaged("Caddyfile").replaceAll("{$SERVER_NAME}", "p2p.example.org"), stands),
  );
  return compose.command("caddy", stands, () => "").map((word) => (word.endsWith("/Caddyfile") ? file : word));
}

function prepareNginx(folder: TemporaryFolder, doors: Doors, stands: Stands): readonly string[] {
  const files = { cert: folder.at("fullchain.pem"), key: folder.at("privkey.pem") };
  writeSelfSigned(files, { host: "localhost" });
  const listening = Object.values(doors).flatMap((port) => [
    `listen 127.0.0.1:${port} ssl;`,
    `listen [::1]:${port} ssl;`,
  ]);
  const site = replaced(packaged("nginx.conf"), stands)
    .replace("map $host ", "map $http_host ") // here the ports tell the names apart
    .replace(/^ *listen .*\n *listen .*\n/m, `${listening.join("\n")}\n`)
    .replace(/server_name .*;/, "server_name localhost;")
    .replace(/ssl_certificate .*;/, `ssl_certificate ${files.cert};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${files.key};`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder.at(kind)};`,
  );
  const main = `daemon off; pid ${folder.at("nginx.pid")}; error_log stderr; events {}`;
  writeFileSync(folder.at("nginx.conf"), `${main}\nhttp { access_log off; ${temporary.join(" ")}\n${site}\n}\n`);
  return ["nginx", "-e", "stderr", "-c", folder.at("nginx.conf")];
}

/** Everything that the compose file starts, as processes of this machine, with its command lines and environments. */
class ByHand implements AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly doors: Doors;
  readonly #stack: AsyncDisposableStack;
  readonly #stands: Stands;

  private constructor(stack: AsyncDisposableStack, folder: TemporaryFolder, doors: Doors, stands: Stands) {
    this.#stack = stack;
    this.folder = folder;
    this.doors = doors;
    this.#stands = stands;
  }

  /** The databases. */
  static async open(): Promise<ByHand> {
    const stack = new AsyncDisposableStack();
    const mongodb = await startMongodb();
    if ("missing" in mongodb) throw new Error(mongodb.missing);
    const database = stack.use(stack.use(mongodb.server).database());
    const line = (port: number) => compose.command("redis", new Map([["6379", `${port}`]]), () => "");
    const redis = stack.use(await DatabaseProcess.start(line));
    const doors = { all: await freePort(), a: await freePort(), b: await freePort() };
    const stands: Stands = new Map([
      ["${SERVER_NAME:?the name that people join by}", "p2p.example.org"],
      ["${SERVER_NAME}", "p2p.example.org"],
      ["mongodb://127.0.0.1:27017/p2p", database.url],
      ["6379", `${redis.port}`],
      [":7420", `:${await freePort()}`],
      [":7430", `:${await freePort()}`],
      ["a.p2p.example.org:443", `localhost:${doors.a}`],
      ["b.p2p.example.org:443", `localhost:${doors.b}`],
      ["a.p2p.example.org", `localhost:${doors.a}`],
      ["b.p2p.example.org", `localhost:${doors.b}`],
      ["p2p.example.org", `localhost:${doors.all}`],
    ]);
    return new ByHand(stack, stack.use(temporaryFolder()), doors, stands);
  }

  /** What the image starts where the file names no command: `/p2p server`. */
  async node(name: "node-a" | "node-b"): Promise<P2p> {
    const process = this.#stack.use(start(["server", "--json"], { env: this.#environment(name) }));
    await process.waitForText('"ready"');
    return process;
  }

  /** The health check of a node. */
  async status(name: "node-a" | "node-b"): Promise<unknown> {
    const { exitCode, events } = await run(["server", "status", "--json"], { env: this.#environment(name) });
    expect(exitCode).toBe(0);
    return events[0];
  }

  async once(name: "keys-out" | "keys-in"): Promise<void> {
    const command = compose.command(name, this.#stands, (volume) => this.folder.at(volume));
    const { exitCode, stderr } = await run(command, { env: this.#environment(name) });
    expect([name, exitCode, stderr]).toEqual([name, 0, ""]);
  }

  /** Resolves when people can come through it. */
  async proxy({ program, prepare }: Proxy): Promise<void> {
    const [, ...args] = prepare(this.folder, this.doors, this.#stands);
    const env = { PATH: process.env["PATH"] ?? "", HOME: this.folder.path, XDG_DATA_HOME: this.folder.at("proxy") };
    const child = Bun.spawn([program ?? "", ...args], { env, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    this.#stack.defer(async () => {
      child.kill();
      await child.exited;
    });
    const url = `https://localhost:${this.doors.all}/healthz`;
    const answers = () => fetch(url, { tls: { rejectUnauthorized: false } }).then((answer) => answer.ok);
    while (!(await answers().catch(() => false))) {
      if (child.exitCode !== null) throw new Error(`the proxy ended with ${child.exitCode}`);
      await Bun.sleep(50);
    }
  }

  async person(name: string, joinLine: string): Promise<Person> {
    mkdirSync(this.folder.at(name));
    const person = new Person(name, this.folder.at(name), joinLine, {});
    writeFileSync(person.passwordFile, `correct horse ${name}\n`, { mode: 0o600 });
    expect((await person.run("register", name, "--password-file", person.passwordFile)).exitCode).toBe(0);
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #environment(name: string): Record<string, string> {
    const [source = ""] =
      compose
        .service(name)
        .volumes?.find((mount) => mount.includes(":/data"))
        ?.split(":") ?? [];
    return { ...compose.environment(name, this.#stands), P2P_DATA: this.folder.at(source) };
  }
}

async function said(here: P2p, there: P2p, text: string): Promise<void> {
  here.write(`${text}\n`);
  await there.waitFor("message", (message) => message.text === text, BACK_MS);
  await here.waitFor("delivered", () => true, BACK_MS);
}

async function ended(node: P2p): Promise<void> {
  node.signal("SIGTERM");
  expect((await node.finished()).exitCode).toBe(0);
}

for (const [name, proxy] of Object.entries(proxies)) {
  const missing = nodesMissing ?? (proxy.program === null ? `no ${name} here` : null);
  const title = `what the compose file of nodes starts, run by hand behind ${name}: people join by one name, and go on while a node is renewed`;
  test.skipIf(missing !== null)(
    missing === null ? title : `${title} (${missing})`,
    async () => {
      await using place = await ByHand.open();
      const nodeA = await place.node("node-a");
      expect(await place.status("node-a")).toMatchObject({ running: true, cluster: { nodes: 1 } });
      await place.once("keys-out");
      await place.once("keys-in");
      const nodeB = await place.node("node-b");
      for (const again of ["keys-out", "keys-in"] as const) await place.once(again);
      await place.proxy(proxy);

      const { join: line } = await nodeA.waitFor("ready");
      expect(line).toStartWith(`p2ps://localhost:${place.doors.all}/#`);
      const [ana, ben] = [await place.person("ana", line), await place.person("ben", line)];
      await using there = await ben.receiving("--yes", "--relay-only");
      await using here = ana.startWith({ stdin: "open" }, "chat", "ben", "--relay-only");
      await said(here, there, "across");
      for (const node of ["node-a", "node-b"] as const)
        expect(await place.status(node)).toMatchObject({ channels: 1, cluster: { nodes: 2, people: 2 } });

      const source = place.folder.at("source.bin");
      writeFileSync(source, randomBytes(2 * 1_048_576));
      expect((await ana.run("send", source, "@ben", "--relay-only")).exitCode).toBe(0);
      expect(readFileSync(join(ben.inbox, "source.bin")).equals(readFileSync(source))).toBe(true);

      await ended(nodeA);
      await said(here, there, "over the other node");
      await place.node("node-a");
      // The new one may be there before the old one is missed.
      await nodeB.waitForText(/node-joined[^]*(node-gone[^]*node-joined|node-joined[^]*node-gone)/);
    },
    120_000,
  );
}
