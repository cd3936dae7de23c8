import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flags, isFlagName } from "../../src/modes/cli/flags.ts";
import { verbs } from "../../src/modes/cli/grammar.ts";
import { parseLine } from "../../src/modes/cli/args.ts";
import { readSettingsFile } from "../../src/modes/cli/settings-file.ts";
import { binary } from "../support/binary.ts";
import { temporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const folder = join(root, "packaging");
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  statSync(join(folder, name)).isFile(),
);
const texts = files.filter((name) => !name.endsWith(".json")).map((name) => [name, read(name)] as const);

/** `KEY=VALUE` lines of a unit; a key may stand more than once. */
function unitLines(name: string): readonly (readonly [string, string])[] {
  return read(name)
    .split("\n")
    .flatMap((line) => {
      const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    });
}

/** The blocks of a page that hold shell commands, or another language. */
function blocks(page: string, language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map(([, block = ""]) => block);
}

test.each(texts)("%s names no flag and no setting that is none", (_, text) => {
  const named = [...text.matchAll(/(?<=\bp2p server[^\n`]*?)--([a-z-]+)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !isFlagName(name))).toEqual([]);
  const environment = [...text.matchAll(/\bP2P_([A-Z_]+)\b/g)].map(([, name = ""]) =>
    name.toLowerCase().replaceAll("_", "-"),
  );
  expect(environment.filter((name) => !isFlagName(name) || flags[name].reach === "line")).toEqual([]);
});

test.each(texts)("every command of p2p in %s is one, with flags that its verb takes", (name, text) => {
  const commands = [...text.matchAll(/^[^#\n]*?(?:^|[ =/])p2p (server\b[^\n#`|]*)/gm)].map(([, line = ""]) =>
    line.trim(),
  );
  for (const command of name.endsWith(".md") ? blocks(text, "sh").flatMap(commandsIn) : commands)
    expect(() => parseLine(command.split(/\s+/), () => false)).not.toThrow();
});

function commandsIn(block: string): readonly string[] {
  return [...block.matchAll(/^.*?(?:-- |\/)p2p (server\b[^\n#|]*)/gm)].map(([, line = ""]) => line.trim());
}

test("the page has commands to look at, and settings that a server takes", () => {
  const page = read("README.md");
  expect(blocks(page, "sh").flatMap(commandsIn).length).toBeGreaterThan(4);
  using temporary = temporaryFolder();
  const [settings = ""] = blocks(page, "toml");
  writeFileSync(temporary.at("server.toml"), settings);
  const { values } = readSettingsFile(temporary.at("server.toml"), "server");
  expect([...values.keys()]).toEqual(["listen", "advertise", "tls-cert", "tls-key"]);
  for (const block of blocks(page, "toml")) {
    writeFileSync(temporary.at("server.toml"), block);
    expect(() => readSettingsFile(temporary.at("server.toml"), "server")).not.toThrow();
  }
  const inline = [
    ...`${page}${read("Caddyfile")}${read("nginx.conf")}`.matchAll(/\b([a-z-]+ = (?:\[[^\]]*\]|"[^"]*"))/g),
  ];
  expect(inline.length).toBeGreaterThan(5);
  for (const [, line = ""] of inline) {
    writeFileSync(temporary.at("server.toml"), line);
    expect(readSettingsFile(temporary.at("server.toml"), "server").values.size).toBe(1);
  }
});

test.each(texts)("every file of the repository that %s names is there", (_, text) => {
  const named = [...text.matchAll(/\b(?:packaging|scripts|src)\/[\w./@-]*\w/g)].map(([path]) => path);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("the unit runs the installed executable as a user of its own, with no right beyond its folder", () => {
  const unit = new Map(unitLines("p2p.service"));
  expect(unit.get("ExecStart")).toBe("/usr/local/bin/p2p server");
  expect(unit.get("User")).toBe("p2p");
  expect(unit.get("StateDirectory")).toBe("p2p");
  expect([unit.get("CapabilityBoundingSet"), unit.get("AmbientCapabilities")]).toEqual(["", ""]);
  expect([unit.get("NoNewPrivileges"), unit.get("ProtectSystem")]).toEqual(["yes", "strict"]);
  const lowPort = new Map(unitLines("p2p.service.d/low-port.conf"));
  expect([...lowPort.values()]).toEqual(["CAP_NET_BIND_SERVICE", "CAP_NET_BIND_SERVICE"]);
});

const analyze = Bun.which("systemd-analyze");
const missing = analyze === null ? " (no systemd-analyze here)" : "";
for (const unit of ["p2p.service", "p2p@.service"])
  test.skipIf(analyze === null)(`systemd takes ${unit}, and rates its exposure below 2 of 10${missing}`, () => {
    using temporary = temporaryFolder();
    const file = temporary.at(unit);
    writeFileSync(file, read(unit).replaceAll("/usr/local/bin/p2p", binary));
    const run = (...args: readonly string[]) => Bun.spawnSync([analyze ?? "", ...args, file], { stderr: "pipe" });
    const verified = run("verify");
    expect([verified.exitCode, verified.stderr.toString()]).toEqual([0, ""]);
    expect(run("security", "--offline=true", "--threshold=20").exitCode).toBe(0);
  });

interface Compose {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

test("the compose file starts one server, in the host's network, from files that are there", () => {
  const compose = Bun.YAML.parse(read("compose.yaml")) as Compose;
  expect(Object.keys(compose)).toEqual(["name", "services", "volumes"]);
  expect(Object.keys(compose.services)).toEqual(["server"]);
  expect(compose.services["server"]).toMatchObject({ network_mode: "host", read_only: true, volumes: ["data:/data"] });
  expect(compose.services["server"]?.["build"]).toEqual({ context: "..", dockerfile: "packaging/Dockerfile" });
  expect(existsSync(join(folder, "..", "packaging/Dockerfile"))).toBe(true);
  expect(Object.keys(compose.volumes)).toEqual(["data"]);
});

const nodesFile = Bun.YAML.parse(read("nodes/compose.yaml")) as Compose;
/** What the Compose specification knows, of which nothing is written wrong here. */
const serviceKeys = new Set(
  `image build command network_mode restart stop_grace_period ulimits healthcheck read_only cap_drop cap_add security_opt
  depends_on environment volumes`.split(/\s+/),
);
const conditions = ["service_started", "service_healthy", "service_completed_successfully"];

test("the compose file of nodes uses keys of Compose alone, and names services, volumes and files that are there", () => {
  const { services, volumes } = nodesFile;
  expect(Object.keys(services)).toEqual(["mongodb", "redis", "node-a", "keys-out", "keys-in", "node-b", "caddy"]);
  for (const [service, { depends_on: needs = {}, volumes: mounts = [], ...keys }] of Object.entries(services)) {
    expect([service, Object.keys(keys).filter((key) => !serviceKeys.has(key))]).toEqual([service, []]);
    const conditionOf = new Map(
      Array.isArray(needs)
        ? needs.map((each) => [String(each), "service_started"])
        : Object.entries(needs as Record<string, { condition: string }>).map(([each, { condition }]) => [
            each,
            condition,
          ]),
    );
    expect([...conditionOf.keys()].filter((each) => !(each in services))).toEqual([]);
    expect([...conditionOf.values()].filter((each) => !conditions.includes(each))).toEqual([]);
    for (const [source = "", target] of (mounts as readonly string[]).map((mount) => mount.split(":"))) {
      expect(target).toStartWith("/");
      expect(source.startsWith(".") ? existsSync(join(folder, "nodes", source)) : source in volumes).toBe(true);
    }
  }
});

test("nobody but this machine reaches the databases of the nodes, and each volume is somebody's", () => {
  const { services, volumes } = nodesFile;
  for (const [service, flag] of [
    ["mongodb", "--bind_ip"],
    ["redis", "--bind"],
  ] as const) {
    const command = services[service]?.["command"] as readonly string[];
    expect(command[command.indexOf(flag) + 1]).toBe("127.0.0.1");
    expect(services[service]).not.toContainKey("ports");
  }
  const mounted = Object.values(services).flatMap(({ volumes: mounts = [] }) => mounts as readonly string[]);
  expect(
    [...new Set(mounted.map((mount) => mount.split(":")[0] ?? ""))].filter((name) => name !== "./Caddyfile").sort(),
  ).toEqual(Object.keys(volumes).sort());
});

test("the unit of several nodes is that of one, with a folder for each", () => {
  const bare = (unit: string) => read(unit).replace(/^#.*\n#.*\n/, "");
  const one = bare("p2p.service").replace("StateDirectory=p2p\n", "StateDirectory=p2p-%i\n");
  expect(bare("p2p@.service")).toBe(one.replace("meeting place\n", "meeting place, node %i\n"));
});

test("the image holds the executable under the name that it starts, with the data where the compose file keeps them", () => {
  const dockerfile = read("Dockerfile");
  const lines = dockerfile
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line));
  const last = (word: string) => lines.findLast((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
  expect([last("FROM"), last("USER"), last("VOLUME"), last("ENV")]).toEqual([
    "scratch",
    "65532:65532",
    "/data",
    "P2P_DATA=/data",
  ]);
  expect([last("ENTRYPOINT"), last("CMD")]).toEqual(['["/p2p"]', '["server"]']);
  expect(Object.hasOwn(verbs, "server")).toBe(true);
  expect(read("Dockerfile.dockerignore").split("\n")).toContain("!dist/p2p");
});
