import { expect, test } from "bun:test";
import type { Case } from "./examination/scenario.ts";
import { scenarios } from "./examination/scenarios.ts";

/** Of the examination, what guards most in least time; `npm run test:natlab` runs the whole of it. */
const chosen: readonly (readonly [number, string])[] = [
  [4, "cone-open × cone-remap"],
  [5, "symmetric-seq × symmetric-seq"],
  [7, "symmetric-block × cone"],
  [8, "symmetric × publicfw"],
  [12, "symmetric,stack=dual × cgnat-symmetric,stack=dual"],
  [17, "cone × cone, equal private addresses"],
  [28, "cone × cone, rebind ip"],
  [29, "cone × cone, both get new addresses"],
  [30, "none × cone, roam"],
  [32, "cone × cone, away for 5 s"],
  [33, "cone × cone"],
  [33, "udpblocked × cone"],
  [36, "cone × cone, joined by a cable"],
  [45, "cone, same-lan, none and cone-remap"],
];

/** A search for a random port has a second series a minute after the first, and needs it one time in a hundred. */
const WITHIN_MS = 150_000;

for (const [number, name] of chosen) {
  const { claim, run } = caseOf(number, name);
  test(`scenario ${number}, ${name}: ${claim}`, async () => expect(await run()).toBeObject(), WITHIN_MS);
}

function caseOf(number: number, name: string): Case & { readonly claim: string } {
  for (const { number: found, claim, cases } of scenarios)
    for (const each of cases) if (found === number && each.name === name) return { ...each, claim };
  throw new Error(`there is no case ${name} of scenario ${number}`);
}
