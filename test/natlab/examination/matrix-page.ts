import { kinds, type Kind, type PairResult } from "./matrix.ts";

/** What others reach in the same laboratory, by design: checks to announced addresses alone, and answering learnt ones too. */
const NAIVE_DIRECT = 30;
const USUAL_DIRECT = 46;

/** MATRIX.md, whole. */
export function matrixPage(results: readonly PairResult[], program: string): string {
  const direct = results.filter(({ isDirect }) => isDirect).length;
  const connected = results.filter(({ meeting, trouble }) => meeting !== null && trouble === null).length;
  return [
    "# Which networks reach each other directly",
    "",
    `**${direct} of ${results.length} pairs of networks are direct.** Checking announced addresses alone reaches ${NAIVE_DIRECT} of them; answering`,
    `the addresses that checks come from as well, which is what Tailscale and iroh do by design, ${USUAL_DIRECT}. ${connected} of ${results.length} pairs`,
    "are connected at once, over the server, and move to the direct path when there is one.",
    "",
    `Written by \`bun run test:natlab -- matrix\`, whole, with ${program}: the compiled program between two people in a small internet`,
    "out of network namespaces, each behind a network of a kind that [natlab](lab/README.md) describes. IPv4, no port mapping,",
    "25 ms each way on both people's links: 100 ms from one to the other and back, 50 ms to the server. A pair with `cone-open`,",
    "where chance decides who is first, met ten times and counts as direct when nine of them were; its times are those of the middle one.",
    "",
    "Milliseconds from both knowing of each other to both being on the direct path; a dot where they stay relayed:",
    "",
    ...table(results),
    "",
    ...relayed(results.filter(({ isDirect }) => !isDirect)),
    "## Every pair",
    "",
    "First line: milliseconds from the command to the first line at the other end, signing in at the server included.",
    "",
    "| pair | path | direct after | first line after | direct runs |",
    "| --- | --- | --- | --- | --- |",
    ...results.map(row),
    "",
  ].join("\n");
}

function table(results: readonly PairResult[]): readonly string[] {
  const cells = new Map(results.map((result) => [`${result.a} ${result.b}`, result]));
  const cell = (a: Kind, b: Kind) => {
    const result = cells.get(`${a} ${b}`);
    if (result === undefined) return "";
    return result.isDirect ? `${result.meeting?.directMs ?? "?"}` : "·";
  };
  return [
    `| | ${kinds.join(" | ")} |`,
    `| --- |${" --: |".repeat(kinds.length)}`,
    ...kinds.map((a) => `| **${a}** | ${kinds.map((b) => cell(a, b)).join(" | ")} |`),
  ];
}

/** The reasons in the program's own words. */
function relayed(results: readonly PairResult[]): readonly string[] {
  if (results.length === 0) return [];
  return [
    "## Relayed, and why",
    "",
    "In the program's own words:",
    "",
    ...results.map(({ a, b, meeting, trouble }) => `- ${a} × ${b}: ${reason(meeting?.why, trouble)}`),
    "",
  ];
}

function reason(why: string | undefined, trouble: string | null): string {
  if (why !== undefined) return why === "" ? "(none given)" : why;
  return `not even connected: ${trouble?.split("\n")[0] ?? "no reason known"}`;
}

function row({ a, b, meeting, directRuns, runs }: PairResult): string {
  const after = meeting?.directMs ?? "–";
  return `| ${a} × ${b} | ${meeting?.kind ?? "none"} | ${after} | ${meeting?.firstByteMs ?? "–"} | ${directRuns} of ${runs} |`;
}
