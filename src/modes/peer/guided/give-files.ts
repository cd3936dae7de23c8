import { previewOf } from "../commands/send.ts";
import type { PeerSession } from "../peer-session.ts";
import { askPaths } from "../prompts/path.ts";
import { prepare, type Shipment } from "../transfer/prepare.ts";
import { Transfers } from "../transfer/transfers.ts";
import { asked } from "./asking.ts";
import type { Desk } from "./desk.ts";
import { pickPerson } from "./pick-person.ts";
import { watched } from "./watched.ts";

/** Asks whom and what, and sends it; Esc calls it off. @throws UserError why it did not arrive */
export async function giveFiles(desk: Desk): Promise<void> {
  const person = await pickPerson(desk, "Who gets the file?");
  if (person === null) return;
  const begun = { text: "" };
  const { terminal } = desk.context;
  const paths = await asked(desk, (signal) => askPaths(terminal, signal, desk.paths, begun));
  if (paths === null) return;
  await using shipment = await prepare(paths);
  await send(desk, person, shipment);
}

async function send(desk: Desk, person: string, shipment: Shipment): Promise<void> {
  const { context, clock, random, signal } = desk;
  const { output, terminal } = context;
  output.status(`asking ${person}; Esc stops`);
  const session = await watched(terminal, clock, signal, (called) => ask(desk, person, shipment, called)).finally(() =>
    output.status(""),
  );
  const transfers = new Transfers(session, { inbox: null, random, onEvent: (event) => output.event(event) });
  try {
    await watched(terminal, clock, signal, (called) => transfers.send(shipment, called));
  } finally {
    output.status("");
    await session.close();
  }
}

function ask({ node, context }: Desk, person: string, shipment: Shipment, signal: AbortSignal): Promise<PeerSession> {
  const { waitMs } = context.settings;
  return node.ask(person, { purpose: "files", offer: previewOf(shipment), waitMs, signal });
}
