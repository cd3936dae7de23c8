import type { UserError } from "../../cli/errors.ts";
import { describeError } from "../../cli/report.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type FilesFace, RoomFiles } from "../chat/room-files.ts";
import type { Incoming } from "../peer-node.ts";
import type { PeerSession } from "../peer-session.ts";
import { endReason } from "../transfer/failure.ts";
import type { Desk } from "./desk.ts";
import { filePolicy } from "./file-policy.ts";

/** After the last word, how long the sender may take to close. Milliseconds. */
const SETTLE_MS = 2_000;

export interface Taking {
  readonly face: FilesFace;
  /** Asks the person. Null: they backed out, or the ring has ended. */
  ask(): Promise<boolean | null>;
  /** Runs the receiving, and aborts its signal with a UserError when the person calls it off. */
  run(receive: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

/** Somebody rings to send files: they are asked about, unless a flag or an earlier word has answered, and received. Never rejects. */
export async function takeFiles(desk: Desk, incoming: Incoming, taking: Taking): Promise<void> {
  const { face } = taking;
  try {
    const { consent } = filePolicy(desk, incoming.from);
    const answer = consent === "ask" ? await taking.ask() : consent === "accept";
    if (answer !== true) return incoming.decline(answer === null ? "no-answer" : "declined");
    const session = await incoming.accept();
    await taking.run((signal) => receive(desk, session, incoming, face, signal));
  } catch (error) {
    const { message, hint } = describeError(error, false);
    face.note(`${message}; ${hint}`);
  }
}

/** What was announced, and nothing else unless this person's files need no question. */
async function receive(
  desk: Desk,
  session: PeerSession,
  { from, offer }: Incoming,
  face: FilesFace,
  signal: AbortSignal,
): Promise<void> {
  const policy = filePolicy(desk, from);
  const consent = policy.consent === "ask" ? "decline" : policy.consent;
  const files = new RoomFiles(session, { ...policy, consent, ...(offer && { agreed: offer }) }, face, desk.random);
  const calledOff = aborted(signal);
  await Promise.race([files.firstEnd, session.ended, calledOff]);
  if (signal.aborted) await files.cancel(signal.reason as UserError);
  await files.idle();
  await Promise.race([session.ended, calledOff, pause(desk.clock, SETTLE_MS)]);
  await session.close("peer-gone", endReason(signal.aborted ? signal.reason : null));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
