import type { NetworkReport } from "../../wire/traversal/network-report.ts";
import type { Caller } from "./doorway.ts";
import type { PeerSession } from "./peer-session.ts";

/** Answered at a time: of one person, and of all. */
const MAX_OF_ONE = 4;
const MAX_OF_ALL = 32;

/** Who only wants to know whether this program is there gets a session without a question: few at a time, and nothing is taken in with them. */
export class PingDesk {
  /** One for each ping under way. */
  readonly #names: string[] = [];

  /**
   * Never rejects.
   * @param accept resolves with the session
   * @param report how this end's network is, told to who asks; null when they are to be shown nothing of it
   */
  async answer(
    { ring }: Caller,
    accept: () => Promise<PeerSession>,
    report: (() => NetworkReport) | null,
  ): Promise<void> {
    const { name } = ring.message;
    if (this.#isFullFor(name)) return ring.decline("no-answer");
    this.#names.push(name);
    try {
      const session = await accept();
      session.onBulk((stream) => stream.stop("no-answer"));
      if (report !== null) answerOnce(session, report);
      await session.ended;
    } catch {
      // Whoever pinged hears of it; here nobody waits.
    }
    this.#names.splice(this.#names.indexOf(name), 1);
  }

  #isFullFor(name: string): boolean {
    return this.#names.length >= MAX_OF_ALL || this.#names.filter((each) => each === name).length >= MAX_OF_ONE;
  }
}

/** Whoever asks more often learns nothing more. */
function answerOnce(session: PeerSession, report: () => NetworkReport): void {
  let isAnswered = false;
  session.onReport((_, wanted) => {
    if (!wanted || isAnswered) return;
    isAnswered = true;
    session.report(report(), false);
  });
}
