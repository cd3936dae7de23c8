import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import type { Applicant } from "./credentials.ts";
import { Refusal } from "./refusal.ts";
import { requestOf } from "./requests.ts";
import type { Services } from "./services.ts";
import { isSignIn, type SignInMessage, signInBy } from "./sign-in.ts";
import type { Identity } from "./tokens.ts";

const SIGN_IN_MS = 10_000;
const MAX_WRONG_ANSWERS = 5;
/** What looking at an answer costs, without the password: look-ups, a token. Milliseconds. */
const ATTEMPT_MS = 0.5;
/** Said in the same breath as the sign-in. */
const MAX_QUEUED = 32;

/** What the channel around it does. Nothing is called any more after `close`. */
export interface EntranceDoor {
  send(message: SignallingMessage): void;
  /** An error as the other end may see it. */
  refusalOf(error: unknown): Refusal;
  /** It is signed in. @throws Refusal when there is no room for it */
  welcome(identity: Identity, request: number): Promise<void>;
  /** What was said behind a sign-in that went well. */
  handOn(message: SignallingMessage): void;
  close(): void;
}

/** A channel until it is signed in: 10 s for the handshake and the first answer, and for each one after a wrong one; five in all. */
export class Entrance {
  readonly #services: Services;
  readonly #door: EntranceDoor;
  #attempting = false;
  #wrongAnswers = 0;
  #queued: SignallingMessage[] = [];
  #over = false;
  #cancelDeadline: () => void = () => {};

  constructor(services: Services, door: EntranceDoor) {
    this.#services = services;
    this.#door = door;
    this.#restartDeadline();
  }

  /** @throws Refusal `not-signed-in` for what has to wait for a sign-in that is not under way */
  take(applicant: Applicant, message: SignallingMessage): void {
    if (this.#attempting) this.#queue(message);
    else if (isSignIn(message)) this.#begin(applicant, message);
    else if (message.kind === "ping") this.#door.send({ kind: "pong" });
    else throw notSignedIn();
  }

  /** The channel is gone, or signed in. */
  leave(): void {
    this.#over = true;
    this.#queued = [];
    this.#cancelDeadline();
  }

  #queue(message: SignallingMessage): void {
    if (this.#queued.length < MAX_QUEUED) this.#queued.push(message);
    else this.#door.close();
  }

  /** The clock of who must answer stands still while the server works. */
  #begin(applicant: Applicant, message: SignInMessage): void {
    this.#attempting = true;
    this.#cancelDeadline();
    this.#services.turns.run(() => void this.#attempt(applicant, message), ATTEMPT_MS);
  }

  /** Never rejects. */
  async #attempt(applicant: Applicant, message: SignInMessage): Promise<void> {
    if (this.#over) return;
    let identity: Identity | null = null;
    try {
      identity = await signInBy(this.#services, applicant, message);
      if (this.#over) return;
      if (identity === null) this.#door.send({ kind: "done", request: message.request });
      else await this.#door.welcome(identity, message.request);
    } catch (error) {
      identity = null;
      this.#wrongAnswer(message.request, this.#door.refusalOf(error));
    }
    this.#attempting = false;
    if (identity === null) this.#goOn(applicant);
    else this.#handOver();
  }

  #wrongAnswer(request: number, refusal: Refusal): void {
    if (this.#over) return;
    this.#fail(request, refusal);
    this.#wrongAnswers++;
    if (this.#wrongAnswers >= MAX_WRONG_ANSWERS) this.#door.close();
  }

  /** The next answer may be here already; what else was said behind a wrong one is not done. */
  #goOn(applicant: Applicant): void {
    this.#restartDeadline();
    while (!this.#attempting) {
      const message = this.#queued.shift();
      if (message === undefined) return;
      if (isSignIn(message)) this.#begin(applicant, message);
      else this.#fail(requestOf(message), notSignedIn());
    }
  }

  #handOver(): void {
    const queued = this.#queued;
    this.leave();
    for (const message of queued) this.#door.handOn(message);
  }

  #restartDeadline(): void {
    if (!this.#over) this.#cancelDeadline = this.#services.clock.after(SIGN_IN_MS, () => this.#door.close());
  }

  #fail(request: number, refusal: Refusal): void {
    const { code, message, retryMs } = refusal;
    this.#services.tally.refused("sign-ins", refusal);
    this.#door.send({ kind: "failed", request, code, message, retryMs });
  }
}

function notSignedIn(): Refusal {
  return new Refusal("not-signed-in", "sign in first");
}
