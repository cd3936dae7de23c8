/** What was measured, by name; milliseconds where the name does not say otherwise. */
export type Figures = Readonly<Record<string, number>>;

/** A network, what happens in it, and what must come of it. */
export interface Case {
  /** In the words of natlab. */
  readonly name: string;
  /** Of its runs, how many must hold: all where nothing is said. */
  readonly share?: number;
  /** It takes long, or nothing of it varies. */
  readonly once?: true;
  /** It mostly waits, for minutes; so it runs beside the others. Once. */
  readonly idle?: true;
  /** @throws Error when it does not hold */
  readonly run: () => Promise<Figures>;
}

/** One of the numbered scenarios of the examination. */
export interface Scenario {
  readonly number: number;
  readonly claim: string;
  /** What the figures should be; measured, never asserted. */
  readonly aim?: string;
  readonly cases: readonly Case[];
}

/** @throws Error saying what does not hold */
export function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
