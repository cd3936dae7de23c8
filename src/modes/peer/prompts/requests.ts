import type { Terminal } from "../../cli/context.ts";
import { sanitizeLine } from "../../cli/sanitize.ts";
import type { Incoming } from "../peer-node.ts";
import type { IncomingOffer } from "../transfer/inbox.ts";
import { announce } from "./announce.ts";
import { offerLines, offerSum, type ShownOffer } from "./offer-lines.ts";
import { prompt } from "./prompt.ts";

/** What stands left of a line that belongs to a question. Columns. */
const MARGIN = 4;

type Rung = Pick<Incoming, "from" | "trust" | "greeting" | "offer">;

/** Somebody wants to chat. @returns null when the person backed out or the ring ended */
export function askRing(
  terminal: Terminal,
  signal: AbortSignal,
  { from, trust, greeting }: Rung,
): Promise<boolean | null> {
  const newcomer = trust === "none" ? ", whom you have not met before," : "";
  const said = greeting === "" ? [] : [`${from}: ${sanitizeLine(greeting, terminal.columns() - from.length - MARGIN)}`];
  return ask(terminal, signal, { lines: said, wish: `${from}${newcomer} wants to chat`, question: "Accept?" });
}

/** Somebody offers files, in a ring or in a session. */
export function askForFiles(
  terminal: Terminal,
  signal: AbortSignal,
  from: string,
  offer: ShownOffer,
  folder: string,
): Promise<boolean | null> {
  const lines = offerLines(offer, terminal.columns() - MARGIN);
  const place = sanitizeLine(folder, Math.max(MARGIN, terminal.columns() - MARGIN));
  return ask(terminal, signal, { lines, wish: `${from} offers ${offerSum(offer)}`, question: `Save in ${place}?` });
}

/** As {@link askRing}; false also when the person backed out. */
export async function askChat(terminal: Terminal, signal: AbortSignal, rung: Rung, _folder: string): Promise<boolean> {
  return (await askRing(terminal, signal, rung)) ?? false;
}

/** About what a ring says of an offer. */
export async function askFiles(terminal: Terminal, signal: AbortSignal, rung: Rung, folder: string): Promise<boolean> {
  const { count, bytes, first } = rung.offer ?? { count: 0, bytes: 0, first: [] };
  const offer = { count, bytes, files: first };
  return (await askForFiles(terminal, signal, rung.from, offer, folder)) ?? false;
}

/** About the whole offer. */
export async function askOffer(
  terminal: Terminal,
  signal: AbortSignal,
  offer: IncomingOffer,
  folder: string,
): Promise<boolean> {
  return (await askForFiles(terminal, signal, offer.from, offer, folder)) ?? false;
}

interface Request {
  /** Text of others; it stands above the question and never in it. */
  readonly lines: readonly string[];
  readonly wish: string;
  readonly question: string;
}

/** It comes on its own, so it is announced first: no key that was meant for something else accepts anything. */
async function ask(
  terminal: Terminal,
  signal: AbortSignal,
  { lines, wish, question }: Request,
): Promise<boolean | null> {
  await announce(terminal, signal, `${wish} …`);
  return prompt(terminal, signal, ({ log, confirm }, streams) => {
    if (lines.length > 0) log.message([...lines], streams);
    return confirm({ ...streams, message: `${wish}. ${question}` });
  });
}
