/**
 * The main job before your eyes: compiles p2p, starts a server in a temporary folder, registers two people with its join line, lets
 * them chat and send files, compares the bytes on the other disk, and cleans up. Exit status 0 when all of it worked.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes, formatSeconds } from "../src/modes/cli/amounts.ts";
import { perform, type Stage } from "./demo/stage.ts";
import type { P2p } from "./support/binary.ts";
import { Community, type Person } from "./support/community.ts";
import { randomFile, sha256Of } from "./support/files.ts";
import { root } from "./support/sources.ts";

const RANDOM_BYTES = 64 * 2 ** 20;
const SEND_WITHIN_MS = 300_000;

const isColourful = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";

function say(step: string, text: string): void {
  const label = step.padEnd(9);
  process.stdout.write(`  ${isColourful ? `\u001b[1m${label}\u001b[22m` : label} ${text}\n`);
}

async function demo(stage: Stage): Promise<void> {
  await compile(stage);
  const town = await stage.hold(await Community.found());
  say("server", `runs in ${town.folder}, and says how to join it:`);
  say("", town.joinLine);
  const [ana, ben] = [await town.register("ana"), await town.register("ben")];
  say("register", "ana and ben have joined, each with a home and keys of their own");
  await chat(stage, ana, ben);
  await sendFiles(stage, town, ana, ben);
  await close(town);
}

async function compile(stage: Stage): Promise<void> {
  const child = Bun.spawn(["sh", "scripts/compile.sh"], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  await stage.hold({
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  });
  const [told, trouble] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`scripts/compile.sh failed: ${trouble.trim()}`);
  say("compile", told.trim().replace(/^compile: /, ""));
}

/** Ana is online; Ben opens a chat with her, and she comes into it from another program of hers. */
async function chat(stage: Stage, ana: Person, ben: Person): Promise<void> {
  const online = await stage.hold(await ana.receiving());
  const bens = await stage.hold(ben.startWith({ stdin: "open" }, "chat", ana.name));
  await bens.waitFor("connected");
  const anas = await stage.hold(ana.startWith({ stdin: "open" }, "chat", ben.name));
  const { session, safety } = await anas.waitFor("connected");
  const there = await bens.waitFor("connected", (connected) => connected.session === session);
  same(there.safety, safety, "the safety numbers of the two ends");
  say("connect", `ana and ben; both see the safety number ${safety.slice(0, 5)} ${safety.slice(5, 10)} …`);
  await line(anas, ana, bens, "Hello Ben, can you read this?");
  await line(bens, ben, anas, "Every word. Send me the files!");
  bens.endInput();
  anas.endInput();
  for (const program of [bens, anas]) same((await program.finished()).exitCode, 0, "the exit status of p2p chat");
  online.signal("SIGINT");
  await online.exited;
}

async function line(from: P2p, writer: Person, to: P2p, text: string): Promise<void> {
  from.write(`${text}\n`);
  const heard = await to.waitFor("message");
  same(`${heard.from}: ${heard.text}`, `${writer.name}: ${text}`, "the line that arrived");
  say("chat", `${heard.from}: ${heard.text}`);
}

async function sendFiles(stage: Stage, town: Community, ana: Person, ben: Person): Promise<void> {
  const names = ["random.bin", "README.md"];
  const paths = names.map((name) => join(town.folder, name));
  const [random = "", readme = ""] = paths;
  const hashes = [await randomFile(random, RANDOM_BYTES), await sha256Of(join(root, "README.md"))];
  await copyFile(join(root, "README.md"), readme);
  const receiver = await stage.hold(await ben.receiving("--yes", "--once"));
  const sender = await stage.hold(ana.start("send", ...paths, `@${ben.name}`));
  const { count, bytes } = await sender.waitFor("offer");
  say("send", `${count} files, ${formatBytes(bytes)}, from ana to ben: ${names.join(", ")}`);
  const { seconds } = await sender.waitFor("sent", undefined, SEND_WITHIN_MS);
  await Promise.all([sender.finished(), receiver.finished()]);
  say("path", pathOf(sender));
  say("speed", `${formatSeconds(seconds)} until confirmed on the other disk, ${formatBytes(bytes / seconds)}/s`);
  for (const [index, name] of names.entries()) {
    const hash = await sha256Of(join(ben.inbox, name));
    same(hash, hashes[index], `SHA-256 of ${name}`);
    say("verify", `${name} is the same on the other disk: SHA-256 ${hash.slice(0, 16)}…`);
  }
}

/** Where the files went: the path the sender chose last. */
function pathOf({ events }: P2p): string {
  const path = events.findLast((event) => event.event === "path");
  if (path?.event !== "path" || path.kind === "relay-ws") return "over the server (relay-ws), which cannot read it";
  return `straight to ben (${path.kind}), encrypted over UDP to ${path.remote}`;
}

async function close(town: Community): Promise<void> {
  town.server.signal("SIGTERM");
  same(await town.server.exited, 0, "the exit status of the server");
  say("clean up", "the server has closed; nothing is left running, and the folder goes");
}

function same(found: string | number, expected: string | number | undefined, what: string): void {
  if (found !== expected) throw new Error(`${what}: found ${found}, expected ${expected}`);
}

async function main(): Promise<number> {
  const startedMs = performance.now();
  process.stdout.write("p2p demo: two people, one server, one executable\n\n");
  try {
    const status = await perform(demo);
    const seconds = formatSeconds((performance.now() - startedMs) / 1_000);
    process.stdout.write(status === null ? `\nall of it worked, in ${seconds}\n` : "\ninterrupted; cleaned up\n");
    return status ?? 0;
  } catch (error) {
    process.stderr.write(`\ndemo: error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exit(await main());
