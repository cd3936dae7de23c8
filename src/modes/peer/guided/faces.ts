import type { FilesFace } from "../chat/room-files.ts";
import type { Question } from "../chat/questions.ts";
import type { Desk } from "./desk.ts";

/** How files show themselves outside of a chat, where nothing more is asked about them. */
export function deskFace({ context: { output } }: Desk): FilesFace {
  return {
    note: (text) => output.note(text),
    progress: (text) => output.status(text),
    ask: () => Promise.resolve(null),
  };
}

/** One face, then another: a transfer goes on when the chat that it began in is over. */
export class ChangingFace implements FilesFace {
  #face: FilesFace;

  constructor(face: FilesFace) {
    this.#face = face;
  }

  change(face: FilesFace): void {
    this.#face = face;
  }

  note(text: string): void {
    this.#face.note(text);
  }

  progress(text: string): void {
    this.#face.progress(text);
  }

  ask(question: Question, signal: AbortSignal): Promise<boolean | null> {
    return this.#face.ask(question, signal);
  }
}
