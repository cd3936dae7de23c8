import type { Choice } from "../prompts/choice.ts";
import { askLiveChoice, type Live } from "../prompts/live-choice.ts";
import { asked } from "./asking.ts";
import { compareNumbers } from "./compare-numbers.ts";
import type { Desk } from "./desk.ts";
import { giveFiles } from "./give-files.ts";
import { pickPerson } from "./pick-person.ts";
import type { Roster } from "./roster.ts";
import { callPerson } from "./talk.ts";
import { tellProblem } from "./tell-problem.ts";
import { tellFriends } from "./welcome.ts";

type Action = "talk" | "send" | "compare" | "friends" | "quit";

const choices: readonly Choice<Action>[] = [
  { value: "talk", label: "Talk to somebody" },
  { value: "send", label: "Send a file" },
  { value: "compare", label: "Compare a safety number" },
  { value: "friends", label: "Show the line for friends" },
  { value: "quit", label: "Quit" },
];

const SERVER_ENDS = "the server here ends too";

/** Names that fit into a title. */
const MAX_NAMES = 12;

/** Until the person quits, or backs out of it twice in a row. @throws the reason why the program is to end */
export async function runMenu(desk: Desk): Promise<void> {
  const { terminal, output } = desk.context;
  for (let isWarned = false; ;) {
    const action = await asked(desk, (signal) => askLiveChoice(terminal, signal, new Menu(desk)));
    if (action === "quit" || (action === null && isWarned)) return;
    isWarned = action === null;
    if (action === null) output.note(warning(desk));
    else await act(desk, action);
  }
}

function warning({ isServerHere }: Desk): string {
  return `once more, and p2p ends${isServerHere ? ` (${SERVER_ENDS})` : ""}; as long as it runs others can reach you`;
}

/** What goes wrong is told, and the menu stands again. */
async function act(desk: Desk, action: Exclude<Action, "quit">): Promise<void> {
  try {
    await actions[action](desk);
  } catch (error) {
    tellProblem(desk.context, error);
  }
}

const actions: Readonly<Record<Exclude<Action, "quit">, (desk: Desk) => Promise<void>>> = {
  talk: async (desk) => {
    const person = await pickPerson(desk, "Whom do you want to talk to?");
    if (person !== null) await callPerson(desk, person);
  },
  send: giveFiles,
  compare: compareNumbers,
  friends: async (desk) => tellFriends(desk.context.output, desk.joinLine),
};

class Menu implements Live<Action> {
  readonly choices: readonly Choice<Action>[];
  readonly #roster: Roster;

  constructor({ roster, isServerHere }: Desk) {
    this.#roster = roster;
    this.choices = isServerHere ? choices.map(withServer) : choices;
  }

  get message(): string {
    const { online, isServerUp } = this.#roster;
    if (!isServerUp) return "The server is away; it is tried again and again";
    if (online.length === 0) return "Nobody else is online now";
    const more = online.length > MAX_NAMES ? ` and ${online.length - MAX_NAMES} more` : "";
    return `Online: ${online.slice(0, MAX_NAMES).join(", ")}${more}`;
  }

  watch(changed: () => void): () => void {
    return this.#roster.watch(changed);
  }
}

function withServer(choice: Choice<Action>): Choice<Action> {
  return choice.value === "quit" ? { ...choice, hint: SERVER_ENDS } : choice;
}
