import type { SendCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import type { LiveNode } from "../live-node.ts";
import { openNode } from "../open-node.ts";
import { systemRandom } from "../own-device.ts";
import { prepare, type Shipment } from "../transfer/prepare.ts";
import { Transfers } from "../transfer/transfers.ts";
import { reportSession } from "./session-report.ts";
import type { OfferPreview } from "../peer-node.ts";

const PREVIEW_NAMES = 4;
/** What the sealed preview has room for. */
const PREVIEW_NAME_BYTES = 255;

/** `p2p send`: to one person after the other; every file is looked at before anybody is asked. */
export async function runSend({ paths, to, stdinName }: SendCommand, context: PeerContext): Promise<number> {
  const stdin = stdinName === null ? null : { name: stdinName, stream: context.terminal.stdin };
  await using shipment = await prepare(paths, stdin);
  await using node = await openNode(context);
  for (const person of to) await sendTo(node, person, shipment, context);
  return 0;
}

async function sendTo(node: LiveNode, person: string, shipment: Shipment, context: PeerContext): Promise<void> {
  const { settings, signal, output } = context;
  const session = await node.ask(person, {
    purpose: "files",
    offer: previewOf(shipment),
    waitMs: settings.waitMs,
    signal,
  });
  reportSession(session, output);
  const transfers = new Transfers(session, {
    inbox: null,
    random: systemRandom,
    onEvent: (event) => output.event(event),
  });
  try {
    await transfers.send(shipment, signal);
  } catch (error) {
    await session.close();
    throw error instanceof UserError && error.code === "declined" ? declined(person) : error;
  }
  await session.close();
}

export function previewOf({ files, bytes }: Shipment): OfferPreview {
  const names = files
    .slice(0, PREVIEW_NAMES)
    .map(({ name }) => Buffer.from(name).subarray(0, PREVIEW_NAME_BYTES).toString());
  return { count: files.length, bytes, names: names.map((name) => name.replace(/\uFFFD+$/, "")) };
}

function declined(person: string): UserError {
  return new UserError("declined", `${person} declined the files`, {
    side: "remote",
    hint: "ask them, perhaps in a chat",
  });
}
