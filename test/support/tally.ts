/** What became of some tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/**
 * Reads the summary that ends the output of `bun test`. A runner that ended badly has failed at least once: it may have
 * died before its summary, or met an error that belongs to no test.
 */
export function tallyOf(output: string, exitCode: number | null): Tally {
  const summary = [...output.matchAll(/(?:^ *\d+ .*\n)+Ran \d+ tests? across/gm)].at(-1)?.[0];
  if (summary === undefined) return { ...nothing, failed: 1 };
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(summary)?.[1] ?? 0);
  const failed = Math.max(count("fail"), exitCode === 0 ? 0 : 1);
  return { passed: count("pass"), failed, skipped: count("skip") + count("todo") };
}

/** The titles of the tests that `bun test` skipped, which say why. It names them where they stand and again at its end. */
export function skippedIn(output: string): readonly string[] {
  return [...new Set([...output.matchAll(/^\(skip\) (.+)$/gm)].map(([, title = ""]) => title))];
}

/** What a reader needs of the output of `bun test`: `--only-failures` would leave out the titles of skipped tests too. */
export function withoutPasses(output: string): string {
  return output.replaceAll(/^\((?:pass|skip)\) .*\n/gm, "");
}

/** `3 passed, 0 failed`, with the skipped only where there are some. */
export function describe({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
