import type { Message } from "../../../../src/modes/server/members.ts";
import { encodeRequest } from "../../../../src/wire/messages/discovery.ts";
import { deriveTicketKeys, withMac } from "../../../../src/wire/traversal/ticket-keys.ts";

/** What the bearer of a ticket asks over UDP. */
export function requestUnder({ ticket, key }: Pick<Message<"ticket">, "ticket" | "key">, sequence: number): Uint8Array {
  const txid = new Uint8Array(12).fill(sequence);
  return withMac(deriveTicketKeys(key).request, encodeRequest({ ticketId: ticket, txid, sequence }));
}
