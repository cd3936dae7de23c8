import type { Choice } from "../prompts/choice.ts";
import { askLiveChoice, type Live } from "../prompts/live-choice.ts";
import { askPerson } from "../prompts/person.ts";
import { asked } from "./asking.ts";
import type { Desk } from "./desk.ts";
import type { Roster } from "./roster.ts";

/** No name is empty. */
const SOMEBODY_ELSE = "";

/** One of those who are online, or a name that is typed. Null means the person backed out. */
export async function pickPerson(desk: Desk, message: string): Promise<string | null> {
  const { terminal } = desk.context;
  for (;;) {
    const picked = await asked(desk, (signal) => askLiveChoice(terminal, signal, new People(desk.roster, message)));
    if (picked !== SOMEBODY_ELSE) return picked;
    const typed = await asked(desk, (signal) => askPerson(terminal, signal));
    if (typed !== null) return typed;
  }
}

/** Who comes online is added at the end, who goes stays where they were. */
class People implements Live<string> {
  readonly message: string;
  readonly #roster: Roster;
  readonly #names: string[];

  constructor(roster: Roster, message: string) {
    this.message = message;
    this.#roster = roster;
    this.#names = [...roster.online, SOMEBODY_ELSE];
  }

  get choices(): readonly Choice<string>[] {
    for (const name of this.#roster.online) if (!this.#names.includes(name)) this.#names.push(name);
    return this.#names.map((value) => {
      if (value === SOMEBODY_ELSE) return { value, label: "Somebody else: type a name" };
      return { value, label: value, hint: this.#roster.isOnline(value) ? "online" : "gone offline" };
    });
  }

  watch(changed: () => void): () => void {
    return this.#roster.watch(changed);
  }
}
