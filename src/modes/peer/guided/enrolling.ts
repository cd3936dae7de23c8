import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import type { Enrolment } from "../open-node.ts";
import type { PeerNode } from "../peer-node.ts";
import { askChoice, type Choice } from "../prompts/choice.ts";
import { askName } from "../prompts/join.ts";
import { askNewPassword, askPassword } from "../prompts/secrets.ts";
import type { KeyedJoinLine } from "../server-choice.ts";

/** `reset`: the line is one of the operator's, to set a new password with. */
type Kind = "register" | "login" | "reset";
type Step = "kind" | "name" | "password" | "send";

const after = { kind: "name", name: "password", password: "send", send: "send" } as const satisfies Record<Step, Step>;

const kinds: readonly Choice<Kind>[] = [
  { value: "register", label: "I am new here" },
  { value: "login", label: "I have an account", hint: "this becomes one more device of it" },
  { value: "reset", label: "I was given this line to set a new password" },
];

export interface EnrollingOptions {
  readonly server: KeyedJoinLine;
  /** A name that has an account there: only its password is asked for. */
  readonly knownName: string | null;
  readonly enrol: (enrolment: Enrolment) => Promise<PeerNode>;
}

/**
 * Asks for what a new account, or a new device of one, is made of, and makes it. What the server refuses leads back to the
 * question that it is about.
 * @returns null when the person backed out of the first question
 * @throws UserError what no answer mends
 */
export function enrolHere(context: PeerContext, options: EnrollingOptions): Promise<PeerNode | null> {
  return new Enrolling(context, options).run();
}

class Enrolling {
  readonly #context: PeerContext;
  readonly #options: EnrollingOptions;
  readonly #first: Step;
  #kind: Kind;
  #name: string;
  #password = "";

  constructor(context: PeerContext, options: EnrollingOptions) {
    const { knownName, server } = options;
    this.#context = context;
    this.#options = options;
    // Whoever brings an invitation is new.
    this.#first = knownName !== null ? "password" : server.invite !== null ? "name" : "kind";
    this.#kind = knownName === null ? "register" : "login";
    this.#name = knownName ?? "";
  }

  async run(): Promise<PeerNode | null> {
    for (let step: Step | null = this.#first; step !== null;) {
      if (step === "send") {
        const result: PeerNode | Step | null = await this.#send();
        if (typeof result === "object") return result;
        step = result;
      } else step = (await this.#ask(step)) ? after[step] : this.#before(step);
      this.#context.signal.throwIfAborted();
    }
    return null;
  }

  /** @returns false when the person backed out */
  #ask(step: Exclude<Step, "send">): Promise<boolean> {
    return step === "kind" ? this.#askKind() : step === "name" ? this.#askName() : this.#askPassword();
  }

  async #askKind(): Promise<boolean> {
    const { terminal, signal } = this.#context;
    const kind = await askChoice(terminal, signal, "Are you new on this server?", kinds);
    this.#kind = kind ?? this.#kind;
    return kind !== null;
  }

  async #askName(): Promise<boolean> {
    const { terminal, signal } = this.#context;
    const name = await askName(terminal, signal, this.#kind === "register" ? "register" : "login", this.#name);
    this.#name = name ?? this.#name;
    return name !== null;
  }

  async #askPassword(): Promise<boolean> {
    const { terminal, signal } = this.#context;
    const password = await (this.#kind === "login" ? askPassword : askNewPassword)(terminal, signal);
    this.#password = password ?? "";
    return password !== null;
  }

  #before(step: Step): Step | null {
    if (step === this.#first || step === "kind") return null;
    return step === "password" ? "name" : this.#first === "kind" ? "kind" : null;
  }

  /** @returns the node; or the question to go back to, null to back out of all */
  async #send(): Promise<PeerNode | Step | null> {
    const { output } = this.#context;
    const { server, enrol } = this.#options;
    const kind = this.#kind === "register" ? "register" : "login";
    // An invitation with a login would be a line to set a new password.
    const line = this.#kind === "login" ? { ...server, invite: null } : server;
    output.status(kind === "register" ? `registering ${this.#name}` : `signing in as ${this.#name}`);
    try {
      return await enrol({ kind, server: line, name: this.#name, password: this.#password, deviceLabel: null });
    } catch (error) {
      return await this.#mend(error);
    } finally {
      output.status("");
    }
  }

  async #mend(error: unknown): Promise<Step | null> {
    const { output, signal } = this.#context;
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    const question = questions[error.code];
    if (question === undefined) throw error;
    // A question is drawn where the status would stand.
    output.status("");
    output.error(error);
    return typeof question === "string" ? question : this.#choose(question);
  }

  async #choose({ message, choices }: Mending): Promise<Step | null> {
    const { terminal, signal } = this.#context;
    const chosen = await askChoice(terminal, signal, message, choices);
    if (chosen === null || chosen === "give-up") return null;
    if (chosen === "again") return "send";
    if (chosen === "rename") return "name";
    this.#kind = chosen === "mine" || chosen === "login" ? "login" : "reset";
    return chosen === "mine" ? "password" : "name";
  }
}

interface Mending {
  readonly message: string;
  readonly choices: readonly Choice<"rename" | "mine" | "login" | "reset" | "again" | "give-up">[];
}

const tryAgain: Mending = {
  message: "Try again?",
  choices: [
    { value: "again", label: "Try again" },
    { value: "give-up", label: "Go back" },
  ],
};

/** Where each refusal leads: to a question that was asked already, or to a new one. */
const questions: Readonly<Partial<Record<UserError["code"], Step | Mending>>> = {
  "bad-name": "name",
  "no-such-person": "name",
  "weak-password": "password",
  "wrong-password": "password",
  "name-taken": {
    message: "Is it yours?",
    choices: [
      { value: "rename", label: "No: choose another name" },
      { value: "mine", label: "Yes: sign in to it on this device" },
    ],
  },
  "bad-invite": {
    message: "How do you want to go on?",
    choices: [
      { value: "login", label: "I have an account here: sign in" },
      { value: "reset", label: "I was given this line to set a new password" },
      { value: "give-up", label: "Go back" },
    ],
  },
  "server-unreachable": tryAgain,
  busy: tryAgain,
  limited: tryAgain,
};
