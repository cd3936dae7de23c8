import type { PathKind } from "../../../src/modes/cli/events.ts";
import type { LabSpec, Side } from "../../support/natlab.ts";
import { Village } from "../village.ts";
import { Talk, type TalkOptions } from "./talk.ts";

/** One way between a side and the core: a round trip is 100 ms between two peers, and 50 ms to the server. */
export const LINK_DELAY_MS = 25;

/** What came of two people meeting once. */
export interface Meeting {
  readonly isDirect: boolean;
  readonly kind: PathKind | null;
  /** From the command to the first line at the other end. */
  readonly firstByteMs: number;
  /** From both knowing of each other to both being on a direct path. */
  readonly directMs: number | null;
  /** What the program says of the way it takes. */
  readonly why: string;
}

/** A village whose people have the usual links. @param port the server's */
export async function settleFarApart(spec: LabSpec, port?: number): Promise<Village> {
  const village = await Village.settle(spec, port);
  try {
    for (const side of ["a", "b"] as const) if (hasOwnLink(spec, side)) await village.lab.delay(side, LINK_DELAY_MS);
    return village;
  } catch (error) {
    await village[Symbol.asyncDispose]();
    throw error;
  }
}

function hasOwnLink(spec: LabSpec, side: Side): boolean {
  return spec[side]?.startsWith("same-") !== true;
}

/** Lets two people meet, talk, and part; a line follows each move. */
export async function meet(village: Village, withinMs: number, options: TalkOptions = {}): Promise<Meeting> {
  await using talk = await Talk.begin(village, options);
  const directMs = await talk.goesDirect(withinMs);
  await talk.say("a line after that");
  const { isDirect, firstByteMs, caller } = talk;
  await talk.end();
  return { isDirect, kind: caller.kind, firstByteMs, directMs: isDirect ? directMs : null, why: caller.why };
}
