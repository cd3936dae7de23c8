import { digitLines } from "../chat/digit-lines.ts";
import { askChoice } from "../prompts/choice.ts";
import { prompt } from "../prompts/prompt.ts";
import { asked } from "./asking.ts";
import type { Desk } from "./desk.ts";
import { type Numbered, numbersOf } from "./verification.ts";

/** Shows the safety numbers of somebody met before, and takes a person's word that one is the same on the other screen. */
export async function compareNumbers(desk: Desk): Promise<void> {
  const { context, node } = desk;
  const met = node.people.list().filter(({ devices }) => devices.some(({ state }) => state !== "changed"));
  if (met.length === 0)
    return context.output.note("a safety number is made of two devices: talk to somebody first, then compare it here");
  const choices = met.map(({ name }) => ({ value: name, label: name }));
  const person = await asked(desk, (signal) => askChoice(context.terminal, signal, "Whose number?", choices));
  if (person === null) return;
  for (const numbered of numbersOf(node.people, person, desk.ownKey)) await compare(desk, person, numbered);
}

async function compare(desk: Desk, person: string, { pin, digits }: Numbered): Promise<void> {
  const { terminal, output } = desk.context;
  const isVerified = pin.state === "verified";
  const lines = [`Your number with ${person}${isVerified ? ", compared before" : ""}:`, ...digitLines(digits)];
  const message = `Is it the same on the screen of ${person}?`;
  const same = await asked(desk, (signal) =>
    prompt(terminal, signal, ({ log, confirm }, streams) => {
      log.message(lines, streams);
      return confirm({ ...streams, message, initialValue: isVerified });
    }),
  );
  if (same === true) await desk.node.people.markVerified(person, pin.key);
  if (same === true) output.note(`${person} is verified`);
  // Esc says nothing, and so does a no to what was only looked at.
  if (same === false && !isVerified)
    output.note(
      `do not trust this connection before the numbers are equal: somebody may stand between you and ${person}`,
    );
}
