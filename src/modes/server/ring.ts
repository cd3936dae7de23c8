import { equalBytes } from "../../wire/bytes.ts";
import type { ErrorCode } from "../../wire/errors.ts";
import { type DeviceRecord, purposes } from "../../wire/messages/signalling.ts";
import type { Member, Message } from "./members.ts";

/** A channel that may be told of a ring. */
export interface Target {
  readonly member: Member;
  /** Lower rings earlier. */
  readonly rank: number;
  /** Sealed to the member's device. */
  readonly preview: Uint8Array;
}

/** The asker's device, and the person asked. */
export interface Parties {
  readonly device: DeviceRecord;
  readonly askedId: Uint8Array;
}

/** One ring while it lasts. */
export interface Ring {
  readonly session: Uint8Array;
  readonly asker: Member;
  /** As asked for. */
  readonly name: string;
  readonly purpose: number;
  readonly previews: Message<"ring">["previews"];
  /** Null while it is looked up who may be asked. */
  parties: Parties | null;
  /** Told and not yet out of it, by member id. */
  readonly asked: Map<string, Member>;
  /** Not yet told, a group per rank. */
  readonly later: Target[][];
  /** What the last one said who could not take it. */
  lastCode: ErrorCode;
  cancel: () => void;
  cancelExpiry: () => void;
}

/** Those who ring together, in the order of ringing. */
export function inRanks(targets: readonly Target[]): Target[][] {
  const ranks = [...new Set(targets.map(({ rank }) => rank))].sort((a, b) => a - b);
  return ranks.map((rank) => targets.filter((target) => target.rank === rank));
}

/** Whether `ring`, a chat ring, asks the person of `other`, sealed to the very device that asks there. */
export function crosses(ring: Ring, other: Ring): boolean {
  return asks(ring, other.asker) && ring.purpose === purposes.chat;
}

/** As {@link crosses}, where the other ring is one of another node, and `asker` rings the very device that asks in `ring`. */
export function isMetBy(ring: Ring, { purpose }: Message<"incoming">, asker: Member): boolean {
  return asks(ring, asker) && ring.purpose === purposes.chat && purpose === purposes.chat;
}

/** Whether the ring is for that member's person, and sealed to its device. */
function asks(ring: Ring, member: Member): boolean {
  const isAsked = ring.parties !== null && equalBytes(ring.parties.askedId, member.identity.userId);
  return isAsked && previewFor(ring, member) !== null;
}

/** What was sealed to the member's device; null when nothing was. */
export function previewFor(ring: Ring, member: Member): Uint8Array | null {
  return ring.previews.find(({ device }) => equalBytes(device, member.identity.deviceId))?.sealed ?? null;
}
