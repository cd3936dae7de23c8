import { formatSeconds } from "../../cli/amounts.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { PeerSession } from "../peer-session.ts";

/** Between two questions whether the other end is still there. Milliseconds. */
const ASK_EVERY_MS = 10_000;
/** A session changes its path in less: nobody is given up sooner, whatever --wait says. Milliseconds. */
const LEAST_PATIENCE_MS = 10_000;

/**
 * Ends a session whose other end is silent for as long as --wait allows. By itself a session waits an hour, for a laptop that
 * sleeps; a command that somebody waits for says sooner that nothing comes of it.
 */
export function endWhenSilent(
  session: Pick<PeerSession, "peer" | "ping" | "ended" | "close">,
  waitMs: number,
  clock: Clock = systemClock,
): void {
  const patienceMs = Math.max(waitMs, LEAST_PATIENCE_MS);
  const reason = `nothing came from ${session.peer} for ${formatSeconds(patienceMs / 1_000)}`;
  let callOff = (): void => undefined;
  const askLater = (): void => void (callOff = clock.after(ASK_EVERY_MS, ask));
  const ask = (): void => {
    callOff = clock.after(patienceMs, () => void session.close("peer-gone", reason));
    session.ping().then(
      () => {
        callOff();
        askLater();
      },
      () => callOff(),
    );
  };
  askLater();
  void session.ended.then(() => callOff());
}
