import { type CaseResult, quantile } from "./runner.ts";

const HOLDS = "yes";
const HOLDS_NOT = "**no**";

/** SCENARIOS.md, whole: each scenario as it was examined last. @param before what the page said until now, or nothing */
export function scenariosPage(results: readonly CaseResult[], before: string): string {
  const sections = new Map(sectionsOf(before));
  for (const number of new Set(results.map(({ scenario }) => scenario.number)))
    sections.set(number, section(results.filter(({ scenario }) => scenario.number === number)));
  const bodies = [...sections].toSorted(([a], [b]) => a - b).map(([, text]) => text);
  const count = (word: string) => bodies.join("\n").split(`| ${word}`).length - 1;
  return [
    "# What happens on real networks",
    "",
    "Written by `bun run test:natlab`, never by hand: two people and a server in a small internet out of network namespaces",
    "([natlab](lab/README.md)), the compiled program, 25 ms each way on both people's links unless said otherwise. Figures are",
    "milliseconds, or numbers where their name says so: median / 95 % do not exceed / worst. `direct` counts from both knowing",
    "of each other to both being on a direct path, `firstByte` from the command to the first line at the other end, `stall` is",
    "the longest time without a line, or without progress of a file, while lines are said every 50 ms. Aims are measured here,",
    "not asserted; a case holds when what it claims came true.",
    "",
    `**${count(HOLDS)} of ${count(HOLDS) + count(HOLDS_NOT)} cases hold.**`,
    "",
    bodies.join("\n"),
  ].join("\n");
}

function sectionsOf(page: string): readonly (readonly [number, string])[] {
  return page
    .split(/^(?=## \d+\. )/m)
    .slice(1)
    .map((text) => [Number.parseInt(text.slice(3), 10), text.trimEnd() + "\n"]);
}

function section(results: readonly CaseResult[]): string {
  const [first] = results;
  if (first === undefined) return "";
  const { number, claim, aim } = first.scenario;
  return [
    `## ${number}. ${claim[0]?.toUpperCase() ?? ""}${claim.slice(1)}`,
    "",
    ...(aim === undefined ? [] : [`Aim: ${aim}.`, ""]),
    "| networks | holds | figures |",
    "| --- | --- | --- |",
    ...results.map((result) => `| ${result.name} | ${holds(result)} | ${figuresOf(result)} |`),
    "",
  ].join("\n");
}

function holds({ hasPassed, held, runs }: CaseResult): string {
  const word = hasPassed ? HOLDS : HOLDS_NOT;
  return runs === 1 ? word : `${word}, ${held} of ${runs}`;
}

export function figuresOf({ figures }: CaseResult): string {
  return [...figures]
    .map(([name, values]) => {
      const three = [quantile(values, 0.5), quantile(values, 0.95), quantile(values, 1)].map(formatted);
      return `${name} ${values.length === 1 ? three[0] : three.join(" / ")}`;
    })
    .join(" · ");
}

function formatted(value: number): string {
  return Math.round(value).toLocaleString("en").replaceAll(",", " ");
}
