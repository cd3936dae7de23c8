import type { CliEvent, PathKind } from "../../../src/modes/cli/events.ts";
import type { P2p } from "../../support/binary.ts";

/** One end of a program's first session as a script sees it: what it said, and when that was heard. */
export class Overheard {
  readonly program: P2p;
  /** Monotonic milliseconds. */
  connectedAt: number | null = null;
  /** The way that the data takes now, since when, and why. */
  kind: PathKind | null = null;
  kindAt = 0;
  why = "";
  /** Host and port of the other end, or of the server. */
  remote = "";
  /** How often it said that the data takes another way. */
  moves = 0;
  movedAt = 0;
  /** The text of each line that came. */
  readonly lines: string[] = [];
  readonly lineTimes: number[] = [];
  /** The session has ended. */
  isClosed = false;
  /** The program has. */
  isOver = false;
  #session: string | null = null;
  readonly #onNews: () => void;

  /** @param onNews whenever something was said */
  constructor(program: P2p, onNews: () => void) {
    this.program = program;
    this.#onNews = onNews;
    void this.#follow();
  }

  get isDirect(): boolean {
    return this.kind !== null && !isRelay(this.kind);
  }

  async #follow(): Promise<void> {
    for await (const event of this.program) {
      this.#take(event, performance.now());
      this.#onNews();
    }
    this.isOver = true;
    this.#onNews();
  }

  #take(event: CliEvent, now: number): void {
    if (event.event === "connected") this.#session ??= event.session;
    if (!("session" in event) || event.session !== this.#session) return;
    if (event.event === "connected") {
      this.connectedAt = now;
      this.#moved(event.path, now);
    } else if (event.event === "path") {
      this.moves++;
      this.movedAt = now;
      this.#moved(event.kind, now);
      this.why = event.why;
      this.remote = event.remote;
    } else if (event.event === "message") {
      this.lines.push(event.text);
      this.lineTimes.push(now);
    } else if (event.event === "closed") {
      this.isClosed = true;
    }
  }

  #moved(kind: PathKind, now: number): void {
    if (this.kind !== kind) this.kindAt = now;
    this.kind = kind;
  }
}

export function isRelay(kind: PathKind): boolean {
  return kind === "relay-ws" || kind === "relay-udp";
}
