/**
 * Runs the rings of tests in order and ends with one line of counts:
 *   bun test/gate.ts            all of them
 *   bun test/gate.ts RING…      some of them, in their order
 * Exit status 0 when something ran and nothing failed.
 */
import { existsSync } from "node:fs";
import { whyMissing, whyNoNamespaces } from "./support/debian.ts";
import { endWithUs, type Outcome, runLimited } from "./support/limited.ts";
import { type Command, type Ring, rings, type Step } from "./support/rings.ts";
import { add, describe, nothing, skippedIn, type Tally, tallyOf, withoutPasses } from "./support/tally.ts";

const COMPILE_LIMIT_MS = 120_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !rings.some((ring) => ring.name === name));
  if (unknown !== undefined) {
    say(`gate: error: no such ring: ${unknown}`);
    say(`gate: hint: ${rings.map((ring) => ring.name).join(" ")}`);
    return 2;
  }
  endWithUs();
  let total = nothing;
  for (const ring of rings) {
    if (names.length > 0 && !names.includes(ring.name)) continue;
    if (exists(ring)) total = add(total, await runRing(ring));
    else if (names.length > 0) say(`${ring.name.padEnd(9)} has no tests`);
  }
  say(describe(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function exists(ring: Ring): boolean {
  return ring.steps !== undefined || ring.folders.some(hasTests);
}

function hasTests(folder: string): boolean {
  return existsSync(folder) && [...new Bun.Glob("**/*.test.ts").scanSync(folder)].length > 0;
}

async function runRing(ring: Ring): Promise<Tally> {
  const title = ring.name.padEnd(9);
  const reason = (ring.namespaces === true ? whyNoNamespaces() : null) ?? whyMissing(ring.needs);
  if (reason !== null) {
    say(`${title} skipped: ${reason}`);
    return { ...nothing, skipped: 1 };
  }
  const lacking = whyMissing(ring.wants);
  if (lacking !== null) say(`${title} runs in part: ${lacking}`);
  const startedMs = performance.now();
  const tally =
    (await prepare(ring)) ?? (await (ring.steps === undefined ? runTests(ring) : runSteps(ring, ring.steps)));
  say(`${title} ${describe(tally)} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  return tally;
}

const prepared = new Map<string, Promise<Outcome>>();

/** @returns what to count when the ring cannot start, else null */
async function prepare(ring: Ring): Promise<Tally | null> {
  for (const command of ring.prepare) {
    const key = command.join(" ");
    const limitMs = ring.prepareSeconds === undefined ? COMPILE_LIMIT_MS : ring.prepareSeconds * 1000;
    const running = prepared.get(key) ?? runLimited(command, limitMs);
    prepared.set(key, running);
    const outcome = await running;
    if (outcome.exitCode !== 0) {
      report(command, outcome);
      return { ...nothing, failed: 1 };
    }
  }
  return null;
}

async function runTests(ring: Ring): Promise<Tally> {
  const timeout = `--timeout=${ring.testSeconds * 1000}`;
  const command = [
    "bun",
    "test",
    "--no-orphans",
    timeout,
    ...(ring.workers === undefined ? [] : [`--parallel=${ring.workers}`]),
    ...ring.folders.filter(hasTests).map((folder) => `./${folder}`),
  ];
  const outcome = await runLimited(command, ring.limitSeconds * 1000);
  const tally = tallyOf(outcome.output, outcome.exitCode);
  for (const title of skippedIn(outcome.output)) say(`${ring.name.padEnd(9)} skips ${title}`);
  if (tally.failed > 0) report(command, { ...outcome, output: withoutPasses(outcome.output) });
  return tally;
}

async function runSteps(ring: Ring, steps: readonly Step[]): Promise<Tally> {
  let tally = nothing;
  for (const { command } of steps) {
    const outcome = await runLimited(command, ring.limitSeconds * 1000);
    const passed = outcome.exitCode === 0;
    if (!passed) report(command, outcome);
    tally = add(tally, passed ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 });
  }
  return tally;
}

function report(command: Command, { output, timedOut, exitCode }: Outcome): void {
  say(`\n--- ${command.join(" ")}: ${timedOut ? "ended at its time limit" : `exit status ${exitCode ?? "none"}`}`);
  say(`${output.trim()}\n---\n`);
}

process.exit(await main(process.argv.slice(2)));
