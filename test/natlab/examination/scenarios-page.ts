import { type CaseResult, quantile } from "./runner.ts";

/** SCENARIOS.md, whole. */
export function scenariosPage(results: readonly CaseResult[], program: string): string {
  const passed = results.filter(({ hasPassed }) => hasPassed).length;
  const numbers = [...new Set(results.map(({ scenario }) => scenario.number))];
  return [
    "# What happens on real networks",
    "",
    `Written by \`bun run test:natlab\`, whole, with ${program}: two people and a server in a small internet out of network`,
    "namespaces ([natlab](lab/README.md)), the compiled program, 25 ms each way on both people's links unless said",
    "otherwise. Figures are milliseconds, or numbers where their name says so: median / 95 % do not exceed / worst. `direct`",
    "counts from both knowing of each other to both being on a direct path, `firstByte` from the command to the first line",
    "at the other end. Aims are measured here, not asserted; a case holds when what it claims came true.",
    "",
    `**${passed} of ${results.length} cases hold.**`,
    ...numbers.flatMap((number) => section(results.filter(({ scenario }) => scenario.number === number))),
    "",
  ].join("\n");
}

function section(results: readonly CaseResult[]): readonly string[] {
  const [first] = results;
  if (first === undefined) return [];
  const { number, claim, aim } = first.scenario;
  return [
    "",
    `## ${number}. ${claim[0]?.toUpperCase() ?? ""}${claim.slice(1)}`,
    "",
    ...(aim === undefined ? [] : [`Aim: ${aim}.`, ""]),
    "| networks | holds | figures |",
    "| --- | --- | --- |",
    ...results.map((result) => `| ${result.name} | ${holds(result)} | ${figuresOf(result)} |`),
  ];
}

function holds({ hasPassed, held, runs }: CaseResult): string {
  const word = hasPassed ? "yes" : "**no**";
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
