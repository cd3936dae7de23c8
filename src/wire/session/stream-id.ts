/** In the order of what goes first. */
export const streamClasses = ["control", "chat", "bulk"] as const;
export type StreamClass = (typeof streamClasses)[number];

/** Streams that exist from the start on both ends, both ways. */
export const CONTROL_STREAM = 0;
export const CHAT_STREAM = 2;

const IDS_PER_COUNT = 8;

/** PROTOCOL.md §7.5: id = n·8 + class·2 + opener bit; the initiator of the first handshake has 0. */
export function streamId(cls: StreamClass, isInitiators: boolean, count: number): number {
  return count * IDS_PER_COUNT + streamClasses.indexOf(cls) * 2 + (isInitiators ? 0 : 1);
}

/** @returns null for the fourth class, which does not exist */
export function classOf(id: number): StreamClass | null {
  return streamClasses[Math.floor((id % IDS_PER_COUNT) / 2)] ?? null;
}

export function isInitiatorsStream(id: number): boolean {
  return id % 2 === 0;
}

/** The n of the id. */
export function countOf(id: number): number {
  return Math.floor(id / IDS_PER_COUNT);
}
