import type { SendCommand } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import type { LiveNode } from "../live-node.ts";
import { openNode } from "../open-node.ts";
import { systemRandom } from "../own-device.ts";
import { endReason } from "../transfer/failure.ts";
import { startOf } from "../transfer/local-name.ts";
import { MAX_NAME_BYTES } from "../transfer/offer.ts";
import { prepare, type Shipment } from "../transfer/prepare.ts";
import { Transfers } from "../transfer/transfers.ts";
import { endWhenSilent } from "./patience.ts";
import { ring } from "./ring.ts";
import type { OfferPreview } from "../peer-node.ts";

const PREVIEW_FILES = 4;

/** `p2p send`: to one person after the other; every file is looked at before anybody is asked. */
export async function runSend({ paths, to, stdinName }: SendCommand, context: PeerContext): Promise<number> {
  const stdin = stdinName === null ? null : { name: stdinName, stream: context.terminal.stdin };
  await using shipment = await prepare(paths, stdin);
  await using node = await openNode(context);
  for (const [index, person] of to.entries()) {
    try {
      await sendTo(node, person, shipment, context);
    } catch (error) {
      const others = to.slice(index + 1);
      if (others.length > 0) context.output.note(`nothing was sent to ${others.join(", ")}`);
      throw error;
    }
  }
  return 0;
}

async function sendTo(node: LiveNode, person: string, shipment: Shipment, context: PeerContext): Promise<void> {
  const { signal, output } = context;
  const session = await ring(node, person, { purpose: "files", offer: previewOf(shipment) }, context);
  endWhenSilent(session, context.settings.waitMs);
  const transfers = new Transfers(session, {
    inbox: null,
    random: systemRandom,
    onEvent: (event) => output.event(event),
  });
  try {
    await transfers.send(shipment, signal);
  } catch (error) {
    await session.close("peer-gone", endReason(error));
    throw error instanceof UserError && error.code === "declined" ? declined(person) : error;
  }
  await session.close();
}

export function previewOf({ files, bytes }: Shipment): OfferPreview {
  const first = files
    .slice(0, PREVIEW_FILES)
    .map((file) => ({ name: startOf(file.name, MAX_NAME_BYTES), bytes: file.bytes }));
  return { count: files.length, bytes, first };
}

function declined(person: string): UserError {
  return new UserError("declined", `${person} declined the files`, {
    side: "remote",
    hint: "ask them, perhaps in a chat",
  });
}
