/**
 * How p2p does on real networks; needs root and Debian's natlab packages, and takes its time:
 *   bun run test:natlab                      all scenarios and the matrix
 *   bun run test:natlab -- matrix            which networks reach each other; about ten minutes
 *   bun run test:natlab -- 4 28              some scenarios by number, which take their place in the page
 *   … --runs N                               of each case whose outcome varies; 20 where it is not said
 *   … --labs N                               so many side by side; 2 where it is not said
 * Writes test/natlab/MATRIX.md and test/natlab/SCENARIOS.md. Exit status 0 when every scenario held.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "../../support/binary.ts";
import { whyMissing, whyNoNamespaces } from "../../support/debian.ts";
import { rings } from "../../support/rings.ts";
import { root } from "../../support/sources.ts";
import { examinePair, pairs, type PairResult } from "./matrix.ts";
import { matrixPage } from "./matrix-page.ts";
import { type CaseResult, examine } from "./runner.ts";
import { scenarios } from "./scenarios.ts";
import { figuresOf, scenariosPage } from "./scenarios-page.ts";
import { sideBySide } from "./side-by-side.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "20" }, labs: { type: "string", default: "2" } },
});
const runs = Number(values.runs);
const labs = Number(values.labs);

const say = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const wrong = positionals.find((word) => word !== "matrix" && !scenarios.some(({ number }) => word === `${number}`));
  if (wrong !== undefined) return refuse(`there is no scenario ${wrong}`);
  if (![runs, labs].every((count) => Number.isSafeInteger(count) && count > 0))
    return refuse("--runs and --labs take a number");
  const needs = rings.find(({ name }) => name === "natlab")?.needs ?? [];
  const reason = whyNoNamespaces() ?? whyMissing(needs);
  if (reason !== null) return refuse(reason);
  const numbers = positionals.filter((word) => word !== "matrix");
  const isWhole = positionals.length === 0;
  const haveHeld = isWhole || numbers.length > 0 ? await examineScenarios(numbers) : true;
  if (isWhole || positionals.includes("matrix")) await examineMatrix();
  return haveHeld ? 0 : 1;
}

function refuse(why: string): number {
  process.stderr.write(`test:natlab: error: ${why}\n`);
  return 2;
}

async function examineScenarios(numbers: readonly string[]): Promise<boolean> {
  const chosen = scenarios.filter(({ number }) => numbers.length === 0 || numbers.includes(`${number}`));
  const results = await examine(chosen, { runs, labs, onResult: sayResult });
  const before = numbers.length === 0 ? "" : await readPage("SCENARIOS.md");
  await writePage("SCENARIOS.md", scenariosPage(results, before));
  const passed = results.filter(({ hasPassed }) => hasPassed).length;
  say(`${passed} of ${results.length} cases hold`);
  return passed === results.length;
}

function sayResult(result: CaseResult): void {
  const { scenario, name, hasPassed, held, runs: all, troubles } = result;
  say(`${hasPassed ? "held" : "FAILED"} ${scenario.number} ${name}: ${held} of ${all}; ${figuresOf(result)}`);
  const [trouble] = troubles;
  if (trouble !== undefined) say(`  ${trouble.trim().replaceAll("\n", "\n  ")}`);
}

async function examineMatrix(): Promise<void> {
  const results = await sideBySide(pairs, labs, async (pair) => {
    const result = await examinePair(pair);
    sayPair(result);
    return result;
  });
  await writePage("MATRIX.md", matrixPage(results, await program()));
  say(`${results.filter(({ isDirect }) => isDirect).length} of ${results.length} pairs are direct`);
}

function sayPair({ a, b, isDirect, directRuns, runs: all, meeting, trouble }: PairResult): void {
  const time = meeting?.directMs === null || meeting === null ? "" : ` after ${meeting.directMs} ms`;
  say(
    `${isDirect ? "direct " : "RELAYED"} ${a} × ${b}: ${meeting?.kind ?? "not connected"}${time}, ${directRuns} of ${all}`,
  );
  if (trouble !== null) say(`  ${trouble.trim().replaceAll("\n", "\n  ")}`);
}

/** As all files here are formatted. */
async function writePage(name: string, text: string): Promise<void> {
  const path = join(root, "test/natlab", name);
  await writeFile(path, text);
  await Bun.spawn([process.execPath, "fmt", "--no-script", path], { stdout: "ignore", stderr: "inherit" }).exited;
  say(`wrote test/natlab/${name}`);
}

async function readPage(name: string): Promise<string> {
  return await readFile(join(root, "test/natlab", name), "utf8").catch(() => "");
}

async function program(): Promise<string> {
  const { events } = await run(["version", "--json"]);
  const version = events.find((event) => event.event === "version");
  return version === undefined ? "p2p" : `p2p ${version.version}`;
}

process.exit(await main());
