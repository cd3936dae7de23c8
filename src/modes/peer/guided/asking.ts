import type { Desk } from "./desk.ts";
import { answerDoor } from "./door.ts";
import { changedKey, tellProblem } from "./tell-problem.ts";

/**
 * Asks something that a ring may interrupt: the question goes, whoever rings is seen to, and the question is asked again.
 * @param ask called anew each time; keeping what was typed is its own affair
 * @returns null when the person backed out
 * @throws the reason why the program is to end
 */
export async function asked<T>(desk: Desk, ask: (signal: AbortSignal) => Promise<T | null>): Promise<T | null> {
  const { doorbell, context, signal } = desk;
  for (;;) {
    await seeToRings(desk);
    const rung = new AbortController();
    const warnings: string[] = [];
    const warned = (name: string): void => {
      warnings.push(name);
      rung.abort();
    };
    doorbell.listen({ rung: () => rung.abort(), warned });
    const answer = await ask(AbortSignal.any([signal, rung.signal]));
    doorbell.listen(null);
    signal.throwIfAborted();
    for (const name of warnings) tellProblem(context, changedKey(name));
    if (answer !== null || !rung.signal.aborted) return answer;
  }
}

async function seeToRings(desk: Desk): Promise<void> {
  for (let incoming = desk.doorbell.take(); incoming !== null; incoming = desk.doorbell.take()) {
    await answerDoor(desk, incoming);
    desk.signal.throwIfAborted();
  }
}
