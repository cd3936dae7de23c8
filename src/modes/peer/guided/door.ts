import type { Incoming } from "../peer-node.ts";
import { askForFiles, askRing } from "../prompts/requests.ts";
import type { Desk } from "./desk.ts";
import { deskFace } from "./faces.ts";
import { takeFiles } from "./take-files.ts";
import { talk } from "./talk.ts";
import { tellProblem } from "./tell-problem.ts";
import { watched } from "./watched.ts";

/** Somebody rings while nothing else is open. @throws the reason why the program is to end */
export async function answerDoor(desk: Desk, incoming: Incoming): Promise<void> {
  const withdrawn = new AbortController();
  void incoming.withdrawn.then(() => withdrawn.abort());
  const signal = AbortSignal.any([desk.signal, withdrawn.signal]);
  try {
    if (incoming.purpose === "files") await openForFiles(desk, incoming, signal);
    else await openForChat(desk, incoming, signal);
  } catch (error) {
    tellProblem(desk.context, error);
  }
}

async function openForChat(desk: Desk, incoming: Incoming, signal: AbortSignal): Promise<void> {
  const { context, node } = desk;
  const { yes, no } = context.settings;
  // Whoever was accepted once needs no question.
  const isContact = incoming.trust !== "none" && node.people.find(incoming.from).trust !== null;
  const answer = no ? false : yes || isContact ? true : await askRing(context.terminal, signal, incoming);
  if (answer === null && signal.aborted) return tellWithdrawn(desk, incoming);
  if (answer !== true) return incoming.decline(answer === null ? "no-answer" : "declined");
  await talk(desk, await incoming.accept());
}

async function openForFiles(desk: Desk, incoming: Incoming, signal: AbortSignal): Promise<void> {
  const { context, folder, clock } = desk;
  const { count, bytes, first } = incoming.offer ?? { count: 0, bytes: 0, first: [] };
  const offer = { count, bytes, files: first };
  await takeFiles(desk, incoming, {
    face: deskFace(desk),
    ask: () => askForFiles(context.terminal, signal, incoming.from, offer, folder.path),
    run: (receive) => watched(context.terminal, clock, desk.signal, receive),
  });
  if (signal.aborted) await tellWithdrawn(desk, incoming);
}

async function tellWithdrawn({ context }: Desk, { from, withdrawn }: Incoming): Promise<void> {
  const code = await withdrawn;
  context.output.note(code === "answered-elsewhere" ? `${from} was answered elsewhere` : `${from} has given up`);
}
