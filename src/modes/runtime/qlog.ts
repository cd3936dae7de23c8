import path from "node:path";
import type { ErrorCode } from "../../wire/errors.ts";
import type { TraceSink } from "../../wire/session/trace.ts";
import { UserError } from "../cli/errors.ts";
import { QlogFile } from "./qlog-file.ts";
import { QlogTrace } from "./qlog-trace.ts";

export interface QlogOptions {
  /** Told once a file: from then on nothing goes there. */
  readonly onTrouble: (error: UserError) => void;
  /** Unix time. Milliseconds. */
  readonly wallMs: () => number;
}

/** Of a session: 32 hex characters, and which end it is. */
export interface TracedSession {
  readonly id: string;
  readonly isInitiator: boolean;
  /** Monotonic. Milliseconds. */
  readonly now: number;
}

export interface SessionTrace {
  readonly sink: TraceSink;
  /** Nothing more comes. */
  end(): void;
}

/** `--qlog`: the first session goes into the file itself, each further one into one of its own beside it. */
export class Qlog {
  readonly #options: QlogOptions;
  readonly #path: string;
  readonly #open = new Set<QlogFile>();
  #first: QlogFile | null;

  /** Makes the file. @throws UserError `not-writable`, `disk-full` */
  constructor(file: string, options: QlogOptions) {
    this.#options = options;
    this.#path = file;
    this.#first = this.#make(file);
  }

  /** @returns null when its file cannot be made, which is told */
  session({ id, isInitiator, now }: TracedSession): SessionTrace | null {
    const file = this.#fileFor(id);
    if (file === null) return null;
    const title = `p2p session ${shortened(id)}`;
    const write = (record: string): boolean => file.add(record);
    const trace = new QlogTrace({ title, isInitiator, startedAtMs: now, wallMs: this.#options.wallMs(), write });
    return {
      sink: (at, event) => trace.add(at, event),
      end: () => void file.close().then(() => this.#open.delete(file)),
    };
  }

  /** Resolves when all is on the disk. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((file) => file.close()));
  }

  #fileFor(id: string): QlogFile | null {
    const first = this.#first;
    this.#first = null;
    if (first !== null) return first;
    try {
      return this.#make(besideFor(this.#path, id));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#options.onTrouble(error);
      return null;
    }
  }

  #make(file: string): QlogFile {
    try {
      const made = QlogFile.create(file, (error) =>
        this.#options.onTrouble(explained(`the trace in ${file} ends here`, error)),
      );
      this.#open.add(made);
      return made;
    } catch (error) {
      throw explained(`cannot write a trace to ${file}`, error);
    }
  }
}

/** `t.sqlog` and session 5e5e5e5e… make `t-5e5e5e5e.sqlog`. */
function besideFor(file: string, id: string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}-${shortened(id)}${ext}`);
}

function shortened(id: string): string {
  return id.slice(0, 8);
}

const reasons: Readonly<Record<string, readonly [code: ErrorCode, reason: string, hint: string]>> = {
  EEXIST: ["not-writable", "there is such a file already", "name another file: none is ever overwritten"],
  ENOENT: ["not-writable", "there is no such folder", "make the folder, or name another file"],
  ENOTDIR: ["not-writable", "a part of the path is no folder", "name another file"],
  EACCES: ["not-writable", "the system does not allow it", "name a file in a folder that you may write to"],
  EPERM: ["not-writable", "the system does not allow it", "name a file in a folder that you may write to"],
  EROFS: ["not-writable", "the disk is read-only", "name a file on another disk"],
  EISDIR: ["not-writable", "it is a folder", "name a file in it"],
  ENOSPC: ["disk-full", "no space is left", "make room, or name a file on another disk"],
  EDQUOT: ["disk-full", "no space is left", "make room, or name a file on another disk"],
};

/** @returns what it was, when the system did not say it */
function explained(action: string, error: unknown): UserError {
  const system = error instanceof Error && "code" in error ? String(error.code) : "an unknown error";
  const [code, reason, hint] = reasons[system] ?? ["not-writable", `the system says ${system}`, "name another file"];
  return new UserError(code, `${action}: ${reason}`, { hint, cause: error });
}
