/** Something to say yes or no to in the middle of a chat. Our own words: text of others is shown above, as a note. */
export interface Question {
  readonly prompt: string;
  /** What an empty answer means. */
  readonly fallback: boolean;
}

interface Open extends Question {
  readonly settle: (answer: boolean | null) => void;
}

const answers: Readonly<Record<string, boolean>> = { y: true, yes: true, n: false, no: false };

/** Open questions, the oldest first. They are answered by a line of their own, so that no key typed for something else answers one. */
export class Questions {
  readonly #open: Open[] = [];
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get current(): Question | null {
    return this.#open[0] ?? null;
  }

  /**
   * @param options `signal` takes the question back; `urgent` asks it before all others
   * @returns null when it was dismissed or taken back
   */
  ask(question: Question, options: { signal?: AbortSignal; urgent?: boolean } = {}): Promise<boolean | null> {
    const { signal, urgent = false } = options;
    if (signal?.aborted === true) return Promise.resolve(null);
    return new Promise((resolve) => {
      const takeBack = (): void => open.settle(null);
      const open: Open = {
        ...question,
        settle: (answer) => {
          signal?.removeEventListener("abort", takeBack);
          this.#drop(open);
          resolve(answer);
        },
      };
      signal?.addEventListener("abort", takeBack, { once: true });
      if (urgent) this.#open.unshift(open);
      else this.#open.push(open);
      this.#onChange();
    });
  }

  /** @returns false when `text` answers nothing */
  answer(text: string): boolean {
    const [first] = this.#open;
    const word = text.trim().toLowerCase();
    const answer = word === "" ? first?.fallback : answers[word];
    if (first === undefined || answer === undefined) return false;
    first.settle(answer);
    return true;
  }

  /** Backs out of the oldest. @returns false when there is none */
  dismiss(): boolean {
    const [first] = this.#open;
    first?.settle(null);
    return first !== undefined;
  }

  dismissAll(): void {
    while (this.dismiss());
  }

  #drop(open: Open): void {
    const at = this.#open.indexOf(open);
    if (at >= 0) this.#open.splice(at, 1);
    this.#onChange();
  }
}
