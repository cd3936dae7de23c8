import type { PathEvent } from "../../cli/events.ts";
import { renderEvent } from "../../cli/render.ts";
import { describeError } from "../../cli/report.ts";
import type { PathInfo, PeerSession } from "../peer-session.ts";
import type { SessionRates } from "../session-figures.ts";
import { digitLines } from "./digit-lines.ts";
import { pathWords } from "./path-words.ts";
import type { Questions } from "./questions.ts";
import type { RoomFiles } from "./room-files.ts";
import { helpLines, type Said } from "./slash.ts";
import { type PathRules, typedPaths } from "./typed-paths.ts";

/** What commands do in a room. */
export interface Obedient {
  readonly questions: Questions;
  /** Of the last second. */
  readonly rates: SessionRates;
  note(text: string): void;
  say(text: string): void;
  leave(by: "command"): Promise<void>;
}

export interface CommandOptions {
  readonly paths: PathRules;
  /** The numbers were compared and are equal. */
  readonly markVerified: () => Promise<unknown>;
}

/** What a person tells the program between the lines. */
export class Commands {
  readonly #room: Obedient;
  readonly #session: PeerSession;
  readonly #files: RoomFiles;
  readonly #options: CommandOptions;

  constructor(room: Obedient, session: PeerSession, files: RoomFiles, options: CommandOptions) {
    this.#room = room;
    this.#session = session;
    this.#files = files;
    this.#options = options;
  }

  obey(said: Said): void {
    switch (said.kind) {
      case "text":
        return this.#room.say(said.text);
      case "help":
        return helpLines.forEach((line) => this.#room.note(line));
      case "path":
        return this.#room.note(pathWords(this.#session, this.#room.rates));
      case "verify":
        return void this.#verify();
      case "quit":
        return void this.#room.leave("command");
      case "send":
        return this.#send(typedPaths(said.paths, this.#options.paths));
      case "unknown":
        return this.#room.note(
          `there is no /${said.word}; /help shows what there is, and // says something that begins with a slash`,
        );
    }
  }

  /** It is another one than before. */
  tellPath({ kind, remote, rttMs, why }: PathInfo): void {
    const { peer, id: session } = this.#session;
    const event: PathEvent = { event: "path", peer, session, kind, remote, rttMs: Math.round(rttMs * 10) / 10, why };
    for (const { text } of renderEvent(event)) this.#room.note(text);
  }

  #send(paths: readonly string[]): void {
    if (paths.length === 0) return this.#room.note("name a file, as in /send report.pdf");
    void this.#files.send(paths);
  }

  /** Never rejects. */
  async #verify(): Promise<void> {
    const { peer, safetyNumber } = this.#session;
    this.#room.note(`your safety number with ${peer}; compare it on the phone or side by side`);
    for (const line of digitLines(safetyNumber)) this.#room.note(`    ${line}`);
    const question = { prompt: `is it the same on the screen of ${peer}?`, fallback: false };
    if ((await this.#room.questions.ask(question)) !== true) return;
    await this.#options.markVerified().then(
      () => this.#room.note(`${peer} is verified`),
      (error: unknown) => this.#room.note(describeError(error, false).message),
    );
  }
}
