import type { Case, Figures, Scenario } from "./scenario.ts";
import { sideBySide } from "./side-by-side.ts";

export interface CaseResult {
  readonly scenario: Scenario;
  readonly name: string;
  readonly runs: number;
  readonly held: number;
  readonly hasPassed: boolean;
  /** Of the runs that held, each figure's values in rising order. */
  readonly figures: ReadonlyMap<string, readonly number[]>;
  readonly troubles: readonly string[];
}

export interface RunnerOptions {
  /** Of each case whose outcome may vary. */
  readonly runs: number;
  /** Labs at a time. */
  readonly labs: number;
  readonly onResult: (result: CaseResult) => void;
}

/** @returns what came of each case, by the scenarios' numbers */
export async function examine(scenarios: readonly Scenario[], options: RunnerOptions): Promise<CaseResult[]> {
  const jobs = scenarios.flatMap((scenario) => scenario.cases.map((each) => ({ scenario, each })));
  const examineOne = async ({ scenario, each }: (typeof jobs)[number]) => {
    const isOnce = each.once === true || each.idle === true;
    const result = await runCase(scenario, each, isOnce ? 1 : options.runs);
    options.onResult(result);
    return result;
  };
  const [idle, busy] = [jobs.filter(({ each }) => each.idle), jobs.filter(({ each }) => each.idle !== true)];
  const [waited, worked] = await Promise.all([
    sideBySide(idle, idle.length, examineOne),
    sideBySide(busy, options.labs, examineOne),
  ]);
  return [...waited, ...worked].toSorted((a, b) => a.scenario.number - b.scenario.number);
}

async function runCase(scenario: Scenario, { name, share = 1, run }: Case, runs: number): Promise<CaseResult> {
  const held: Figures[] = [];
  const troubles: string[] = [];
  for (let left = runs; left > 0; left--) {
    try {
      held.push(await run());
    } catch (error) {
      troubles.push(textOf(error));
    }
  }
  const hasPassed = held.length >= runs * share;
  return { scenario, name, runs, held: held.length, hasPassed, figures: sorted(held), troubles };
}

function sorted(all: readonly Figures[]): ReadonlyMap<string, readonly number[]> {
  const values = new Map<string, number[]>();
  for (const figures of all)
    for (const [name, value] of Object.entries(figures)) values.set(name, [...(values.get(name) ?? []), value]);
  for (const list of values.values()) list.sort((a, b) => a - b);
  return values;
}

/** @param part 0.5 for the median, 0.95 for the value that 95 % do not exceed */
export function quantile(rising: readonly number[], part: number): number {
  return rising[Math.max(0, Math.ceil(rising.length * part) - 1)] ?? Number.NaN;
}

/** Of what failed first, and of what failed when that was cleaned up. */
export function textOf(error: unknown): string {
  if (error instanceof SuppressedError) return `${textOf(error.suppressed)}\nand then: ${textOf(error.error)}`;
  return error instanceof Error ? error.message : String(error);
}
